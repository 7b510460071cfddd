package billing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/objects"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/release"
)

// billedAs holds the open rows of a story against what the API says of their objects.
type billedAs struct{ looks }

// expectBilledAs expects that the open rows of volumes and NICs say what the API says of them now: an event that names
// another size or offering fills its row with it, and row and event agree. It is looked at after a usage run of a site
// of one's own, before anything else is done.
func (t billedAs) expectBilledAs() {
	w := t.watch
	if t.site.Journal == nil || w.Last == nil {
		return
	}
	if _, stalled := w.Last.Stall(); stalled {
		return // rows are not those of the events
	}
	var wrong []string
	for _, a := range t.on.Accounts() {
		if !a.Ended() {
			wrong = append(wrong, t.volumesBilledAs(a)...)
			wrong = append(wrong, t.nicsBilledAs(a)...)
		}
	}
	if wrong = t.on.News("usage rows", wrong); len(wrong) == 0 {
		return
	}
	t.Fail(result.WrongColumn, "usage rows are not what the API says: "+wrong[0],
		append(w.Evidence(), result.Evidence{Kind: result.KindNote, Title: "usage rows against the API",
			Text: strings.Join(wrong, "\n")})...)
}

// openRowOf is the open row of something that the newest run has seen all of; nil for none.
func (t billedAs) openRowOf(kind usageprobe.Kind, id int64, part string) *usageprobe.HelperRow {
	for _, e := range t.watch.Last.Events {
		if e.Created.After(t.watch.Last.Cutoff) && (usageprobe.Ref{Kind: kind, ID: id, Part: part}).Concerns(e) {
			return nil
		}
	}
	var found []usageprobe.HelperRow
	for _, row := range t.watch.Last.Rows {
		if row.Kind == kind && row.ID == id && row.Part == part && row.Open() {
			found = append(found, row)
		}
	}
	if len(found) != 1 { // too many or none is for the invariants
		return nil
	}
	return &found[0]
}

func (t billedAs) volumesBilledAs(a *objects.Account) (wrong []string) {
	var list struct {
		Volume []struct {
			Name, DiskOfferingID, State string
			Size                        int64
		}
	}
	filter := a.ByName()
	filter["listall"] = true
	t.Must(t.site.Cloud.Call(t.ctx, "listVolumes", filter, &list), "listing the volumes of %s", a.Name)
	for _, v := range list.Volume {
		for _, e := range t.watch.Last.Events {
			if e.Type != "VOLUME.CREATE" || e.ResourceName != v.Name || e.AccountID != a.InternalID {
				continue
			}
			row := t.openRowOf(usageprobe.KindVolume, e.ResourceID, "")
			if row == nil || v.State == "Destroy" {
				continue
			}
			fields := map[string][2]string{"disk offering": {fmt.Sprint(v.DiskOfferingID != ""),
				fmt.Sprint(row.Column("disk_offering_id") != "NULL")}}
			if !t.site.Has(release.ResizeEventOldSize) {
				fields["size"] = [2]string{fmt.Sprint(v.Size), row.Column("size")}
			}
			wrong = append(wrong, stage.Unlike("volume "+v.Name, fields)...)
		}
	}
	return slices.Compact(wrong)
}

// nicsBilledAs: a NIC is billed with the offering that its network is billed with, where that is one and the same all
// along.
func (t billedAs) nicsBilledAs(a *objects.Account) (wrong []string) {
	filter := a.ByName()
	filter["listall"] = true
	vms, err := t.site.Cloud.ListVirtualMachines(t.ctx, filter)
	t.Must(err, "listing the instances of %s", a.Name)
	for _, vm := range vms {
		for _, nic := range vm.Nic {
			offering := t.onlyOffering(nic.Networkid)
			if offering == "" || vm.State != "Running" {
				continue
			}
			part := fmt.Sprint(t.on.InternalID(usageprobe.ObjectNIC, nic.Id))
			row := t.openRowOf(usageprobe.KindNIC, t.on.InternalID(usageprobe.ObjectVM, vm.Id), part)
			if row == nil {
				continue
			}
			wrong = append(wrong, stage.Unlike(fmt.Sprintf("NIC %s of %s", part, vm.Name), map[string][2]string{
				"network offering": {offering, row.Column("network_offering_id")}})...)
		}
	}
	return wrong
}

// onlyOffering is the internal id of the offering that all rows of a network name; empty where they name several.
func (t billedAs) onlyOffering(network string) (offering string) {
	for _, row := range t.watch.Last.Rows {
		if row.Kind != usageprobe.KindNetwork || t.watch.UUID(row.Ref) != network {
			continue
		}
		if one := row.Column("network_offering_id"); offering == "" || one == offering {
			offering = one
		} else {
			return ""
		}
	}
	return offering
}
