package answers

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/objects"
)

// List is one of the API's lists, and who asks for it.
type List struct {
	t       Answers
	asks    *cloud.Client
	command string
	key     string // of the elements in the answer
}

// ListAs is a list as an account asks for it.
func (t Answers) ListAs(a *objects.Account, command, key string) List {
	return List{t, a.Cloud, command, key}
}

// ListAsAdmin is a list as the site's administrator asks for it, for all accounts.
func (t Answers) ListAsAdmin(command, key string) List { return List{t, t.site.Cloud, command, key} }

// answer is what was listed: the elements' ids, and how many the server says there are.
func (l List) answer(filter cloud.Params) (ids []string, count int) {
	p := cloud.Params{"listall": true}
	maps.Copy(p, filter)
	var raw map[string]json.RawMessage
	l.t.Must(l.asks.Call(l.t.ctx, l.command, p, &raw), "%s", l.command)
	var all []struct{ ID string }
	for name, into := range map[string]any{"count": &count, l.key: &all} {
		if raw[name] != nil {
			l.t.Must(json.Unmarshal(raw[name], into), "reading %s of %s", name, l.command)
		}
	}
	for _, one := range all {
		ids = append(ids, one.ID)
	}
	return ids, count
}

// Expect expects that the filter lists the elements that it names, each once, and counts them.
func (l List) Expect(by string, filter cloud.Params, want ...string) {
	defer l.t.Step("%s by %s", l.command, by)()
	l.t.Checked(1)
	got, count := l.answer(filter)
	if count != len(want) || !sameSet(got, want) {
		l.fail(by, fmt.Sprintf("lists %d of %d and counts %d", len(got), len(want), count), got, want)
	}
}

// ExpectInside is Expect for the elements of a list within the only element of the answer.
func (l List) ExpectInside(by string, filter cloud.Params, inner string, want ...string) {
	defer l.t.Step("%s by %s", l.command, by)()
	l.t.Checked(1)
	var whole map[string]json.RawMessage
	l.t.Must(l.asks.Call(l.t.ctx, l.command, filter, &whole), "%s", l.command)
	var outer []map[string]json.RawMessage
	if whole[l.key] != nil {
		l.t.Must(json.Unmarshal(whole[l.key], &outer), "reading %s", l.command)
	}
	var got []string
	for _, one := range outer {
		var all []struct{ ID string }
		if one[inner] != nil {
			l.t.Must(json.Unmarshal(one[inner], &all), "reading %s", l.command)
		}
		for _, each := range all {
			got = append(got, each.ID)
		}
	}
	if !sameSet(got, want) {
		l.fail(by, fmt.Sprintf("lists %d of %d", len(got), len(want)), got, want)
	}
}

// ExpectPages expects that pages of a size are disjoint, hold all and no more, and count all.
func (l List) ExpectPages(filter cloud.Params, size int, want ...string) {
	defer l.t.Step("%s page by page", l.command)()
	l.t.Checked(1)
	var got []string
	for page := 1; page <= len(want)/size+1; page++ {
		p := cloud.Params{"page": page, "pagesize": size}
		maps.Copy(p, filter)
		ids, count := l.answer(p)
		if len(ids) > 0 && count != len(want) {
			l.fail("page", fmt.Sprintf("counts %d on page %d, and there are %d", count, page, len(want)), ids, want)
			return
		}
		got = append(got, ids...)
	}
	if !sameSet(got, want) {
		l.fail("page", fmt.Sprintf("lists %d on all pages, and there are %d", len(got), len(want)), got, want)
	}
}

func (l List) fail(by, says string, got, want []string) {
	l.t.Fail(result.WrongAnswer, fmt.Sprintf("%s by %s %s", l.command, by, says),
		result.Evidence{Kind: result.KindNote, Title: l.command + " by " + by,
			Text: "listed:\n" + strings.Join(got, "\n") + "\nasked for:\n" + strings.Join(want, "\n")})
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// ExpectUntied expects that a VPC's address, on which there is no rule any more, is of no tier.
func (t Answers) ExpectUntied(a *objects.Address) {
	t.Checked(1)
	found, err := t.site.Cloud.ListPublicIPAddresses(t.ctx, cloud.Params{"id": a.ID})
	t.Must(err, "listing address %s", a.IP)
	if len(found) != 1 {
		t.Inconclusive("address %s is listed %d times", a.IP, len(found))
	}
	if tier := found[0].Associatednetworkid; tier != "" {
		t.Fail(result.StillListed, fmt.Sprintf("address %s has no rule any more, and is still of tier %s", a.IP, tier))
	}
}

// ExpectVolume expects that the API lists the volume with its VM, nil for none; and where it is gone that it is not
// listed, or as one that can be recovered.
func (t Answers) ExpectVolume(v *objects.Volume, vm *objects.VM, gone bool) {
	defer t.Step("%s as listed", v.Name)()
	t.Checked(1)
	var answer struct {
		Volume []struct{ State, VirtualMachineID string }
	}
	t.Must(v.Account.Cloud.Call(t.ctx, "listVolumes", cloud.Params{"id": v.ID}, &answer), "listing volume %s", v.Name)
	there := len(answer.Volume) == 1 && answer.Volume[0].State != "Destroy"
	if there == gone {
		t.Fail(result.WrongListing, fmt.Sprintf("listVolumes lists volume %s as existing: %t, want %t", v.Name, there,
			!gone))
		return
	}
	want := ""
	if vm != nil {
		want = vm.ID
	}
	if there && answer.Volume[0].VirtualMachineID != want {
		t.Fail(result.WrongListing, fmt.Sprintf("listVolumes lists volume %s on VM %q, want %q", v.Name,
			answer.Volume[0].VirtualMachineID, want))
	}
}
