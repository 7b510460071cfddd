package compute

import (
	"context"
	"fmt"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// Volumes live in memory only: of them the databases see usage events.

// createVolume adds a volume with its event row and usage event.
func (mgr *Manager) createVolume(ctx context.Context, v *Volume, user *tenancy.User) (*Volume, error) {
	v.ID, v.UUID, v.Created = mgr.NextID("cloud.volumes"), mgr.UUID(), mgr.Now()
	mgr.Volumes.Add(v)
	text, vm := "DATADISK", ""
	if v.Template != nil {
		text = "ROOT"
	}
	if v.VM != nil {
		vm = " Vm Id: " + v.VM.UUID
	}
	if _, err := mgr.Event(ctx, kernel.Event{Type: "VOLUME.CREATE", State: "Created", User: user, Account: v.Account,
		ResourceID: v.ID, ResourceType: "Volume", ResourceUUID: v.UUID,
		Text: fmt.Sprintf("Successfully created entity for creating %s volume. Volume Type: %sVolume Id: %s%s", text,
			text, v.UUID, vm)}); err != nil {
		return nil, err
	}
	return v, mgr.volumeBegan(ctx, v)
}

// volumeBegan writes that a volume is on primary storage.
func (mgr *Manager) volumeBegan(ctx context.Context, v *Volume) error {
	return mgr.UsageEvent(ctx, "VOLUME.CREATE", v.Account, kernel.ZoneID, v.ID, mgr.beganFields(v))
}

// beganFields are those of a volume's first event. Where volumes are metered per VM, it names the VM (#11531).
func (mgr *Manager) beganFields(v *Volume) obj {
	fields := v.usageFields()
	if v.VM != nil && mgr.On(release.VolumeUsagePerVM) {
		fields["vm_id"] = v.VM.ID
	}
	return fields
}

// volumeAttached writes that a volume has a VM, where volumes are metered per VM (VolumeApiServiceImpl.java@4.22.1.0).
func (mgr *Manager) volumeAttached(ctx context.Context, v *Volume) error {
	if !mgr.On(release.VolumeUsagePerVM) {
		return nil
	}
	fields := v.usageFields()
	fields["vm_id"] = v.VM.ID
	return mgr.UsageEvent(ctx, "VOLUME.ATTACH", v.Account, kernel.ZoneID, v.ID, fields)
}

// volumeDetached writes that a volume has no VM any more, where volumes are metered per VM.
func (mgr *Manager) volumeDetached(ctx context.Context, v *Volume) error {
	if !mgr.On(release.VolumeUsagePerVM) {
		return nil
	}
	return mgr.UsageEvent(ctx, "VOLUME.DETACH", v.Account, kernel.ZoneID, v.ID, v.usageFields())
}

// usageFields are what a volume's usage events say of it.
func (v *Volume) usageFields() obj {
	fields := obj{"resource_name": v.Name, "size": v.Size}
	if v.Template != nil {
		fields["template_id"] = v.Template.ID
	}
	if v.Offering != nil {
		fields["offering_id"] = v.Offering.ID
	}
	return fields
}

// DeleteVolume removes a volume; that of a destroyed VM had its event then.
func (mgr *Manager) DeleteVolume(ctx context.Context, v *Volume) error {
	told, why := v.State == "Destroy", ""
	if v.State == "Allocated" {
		why = kernel.WhyNeverUsed
	}
	v.State, v.Removed = "Expunged", mgr.Now()
	if told {
		return nil
	}
	return mgr.volumeEnded(ctx, v, why)
}

func (mgr *Manager) volumeEnded(ctx context.Context, v *Volume, why string) error {
	return mgr.WriteUsage(ctx, kernel.UsageEvent{
		Type: "VOLUME.DELETE", Owner: v.Account, Zone: kernel.ZoneID, Resource: v.ID,
		Fields: obj{"resource_name": v.Name}, Why: why,
	})
}

func (mgr *Manager) volumeAnswer(v *Volume) obj {
	out := obj{
		"id": v.UUID, "name": v.Name, "zoneid": mgr.net.Site.UUID, "zonename": net.SiteName, "type": "DATADISK",
		"size": v.Size, "created": kernel.Stamp(v.Created),
		"state": v.State, "storagetype": "shared", "provisioningtype": "thin", "hypervisor": "Simulator",
		"tags": mgr.tenancy.Tagged(v.UUID), "isextractable": false,
		"quiescevm": false, "destroyed": false, "hasannotations": false,
	}
	if v.Template != nil {
		out["type"], out["templateid"], out["templatename"] = "ROOT", v.Template.UUID, v.Template.Name
	}
	if v.Offering != nil {
		out["diskofferingid"], out["diskofferingname"] = v.Offering.UUID, v.Offering.Name
	}
	if v.VM != nil {
		out["virtualmachineid"], out["vmname"], out["vmdisplayname"], out["vmstate"] = v.VM.UUID, v.VM.Name,
			v.VM.DisplayName, v.VM.State
		out["deviceid"] = v.Device
	}
	mgr.tenancy.Owned(out, v.Account)
	return out
}

func volumeCommands() []command {
	id := param{Name: "id", Type: "uuid:volume", Required: true, About: "the ID of the volume"}
	one := func(name, about, class, event, action string, run func(*Manager, *kernel.Call, *Volume) error,
		params ...param) command {
		return command{
			Name: name, About: about, Class: kernel.AdminClasses + "volume." + class, Kind: kernel.AsyncCommand,
			Instance: "Volume", Event: event, Eventful: kernel.EventAsync,
			Action: action, Params: params, Check: checkVolume, Describe: func(mgr *Manager,
				c *kernel.Call) string {
				return action + ": " + c.Str("id")
			},
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				v, err := volumeParam(mgr, c, "id")
				if err != nil {
					return nil, err
				}
				if err := run(mgr, c, v); err != nil {
					return nil, err
				}
				return obj{"volume": mgr.volumeAnswer(v)}, nil
			},
		}
	}
	return []command{
		{
			Name: "createVolume", About: "Creates a disk volume from a disk offering.",
			Class: kernel.AdminClasses + "volume.CreateVolumeCmdByAdmin", Kind: kernel.AsyncCreate,
			Instance: "Volume", Params: []param{
				{Name: "name", Type: "string", About: "the name of the disk volume"},
				{Name: "diskofferingid", Type: "uuid:diskoffering", Required: true, About: "the ID of the disk " +
					"offering"},
				{Name: "zoneid", Type: "uuid:zone", About: "the ID of the availability zone"},
				{Name: "projectid", Type: "uuid:project", About: "the project of the resource"},
				{Name: "account", Type: "string", About: "the account associated with the disk volume"},
				{Name: "domainid", Type: "uuid:domain", About: "the domain ID associated with the disk offering"},
			},
			Create: newVolume,
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				return obj{"volume": mgr.volumeAnswer(mgr.VolumeByUUID(c.Target.UUID))}, nil
			},
		},
		{
			Name: "listVolumes", About: "Lists all volumes.",
			Params: kernel.TaggedParams(param{Name: "id", Type: "uuid:volume", About: "the ID of the disk volume"},
				param{Name: "name", Type: "string", About: "the name of the disk volume"},
				param{Name: "virtualmachineid", Type: "uuid:vm", About: "the ID of the virtual machine"},
				param{Name: "type", Type: "string", About: "the type of disk volume"}),
			Run: listVolumes,
		},
		one("attachVolume", "Attaches a disk volume to a virtual machine.", "AttachVolumeCmdByAdmin", "VOLUME.ATTACH",
			"attaching volume", attachVolume, id,
			param{Name: "virtualmachineid", Type: "uuid:vm", Required: true, About: "the ID of the virtual machine"},
			param{Name: "deviceid", Type: "long", About: "the ID of the device to map the volume to within the guest " +
				"OS"}),
		one("detachVolume", "Detaches a disk volume from a virtual machine.", "DetachVolumeCmdByAdmin",
			"VOLUME.DETACH", "detaching volume", func(mgr *Manager, c *kernel.Call, v *Volume) error {
				if v.VM == nil || v.Device == 0 {
					return api.Invalid("The specified volume is not attached to a VM.")
				}
				v.VM, v.Device = nil, 0
				return mgr.volumeDetached(c.Ctx, v)
			}, id),
		one("resizeVolume", "Resizes a volume", "ResizeVolumeCmdByAdmin", "VOLUME.RESIZE", "resizing volume",
			resizeVolume, id,
			param{Name: "size", Type: "long", About: "New volume size in GB"},
			param{Name: "diskofferingid", Type: "uuid:diskoffering", About: "new disk offering id"}),
		{
			Name: "deleteVolume", About: "Deletes a detached disk volume.",
			Class: kernel.UserClasses + "volume.DeleteVolumeCmd", Params: []param{id}, Check: checkVolume,
			Event: "VOLUME.DELETE", Eventful: kernel.EventSync, Action: "deleting volume",
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				v, err := volumeParam(mgr, c, "id")
				if err != nil {
					return nil, err
				}
				if v.VM != nil {
					return nil, api.Invalid("Please specify a volume that is not attached to any VM.")
				}
				return obj{"success": true}, mgr.DeleteVolume(c.Ctx, v)
			},
		},
	}
}

func checkVolume(mgr *Manager, c *kernel.Call) error {
	v, err := volumeParam(mgr, c, "id")
	if err != nil {
		return err
	}
	if !v.Removed.IsZero() {
		return api.Invalid("Unable to find volume with ID: %s", v.UUID)
	}
	c.Owner, c.EventResource, c.EventResourceType = v.Account, v.ID, "Volume"
	return tenancy.MayUse(mgr.tenancy, c, v.Account, "Volume")
}

func newVolume(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	owner, err := tenancy.OwnerAccount(mgr.tenancy, c)
	if err != nil {
		return kernel.Created{}, err
	}
	o := net.OfferingByUUID(mgr.net.DiskOfferings, c.Str("diskofferingid"))
	gb, _ := o.Answer["disksize"].(int)
	v, err := mgr.createVolume(c.Ctx, &Volume{Name: c.Str("name"), Size: int64(gb) << 30, Account: owner, Offering: o,
		State: "Allocated"}, tenancy.Caller(c))
	if err != nil {
		return kernel.Created{}, err
	}
	return kernel.Created{UUID: v.UUID, ID: v.ID}, nil
}

func attachVolume(mgr *Manager, c *kernel.Call, v *Volume) error {
	vm, err := VMParam(mgr, c, "virtualmachineid")
	if err != nil {
		return err
	}
	if v.VM != nil {
		return api.Invalid("Please specify a volume that is not attached to any VM.")
	}
	if vm.State != "Running" && vm.State != "Stopped" {
		return api.Invalid("Please specify a VM that is either running or stopped.")
	}
	device, err := freeDevice(mgr, c, vm)
	if err != nil {
		return err
	}
	if v.State == "Uploaded" { // it comes to primary storage now
		if err := mgr.volumeBegan(c.Ctx, v); err != nil {
			return err
		}
	}
	v.VM, v.Device, v.State = vm, device, "Ready"
	return mgr.volumeAttached(c.Ctx, v)
}

// freeDevice is the device that a call wants, or the one after the last.
func freeDevice(mgr *Manager, c *kernel.Call, vm *VM) (int, error) {
	next, wanted := 1, c.Integer("deviceid", -1)
	for _, o := range mgr.Volumes.All() {
		if o.VM == vm && o.Removed.IsZero() {
			if o.Device == wanted {
				return 0, api.Invalid("deviceId %d is used by vm %s", wanted, vm.InstanceName)
			}
			next = max(next, o.Device+1)
		}
	}
	if wanted >= 0 {
		return wanted, nil
	}
	return next, nil
}

func resizeVolume(mgr *Manager, c *kernel.Call, v *Volume) error {
	before := v.Size
	if o := net.OfferingByUUID(mgr.net.DiskOfferings, c.Str("diskofferingid")); o != nil {
		gb, _ := o.Answer["disksize"].(int)
		v.Offering, v.Size = o, int64(gb)<<30
	}
	if gb := c.Integer("size", 0); gb > 0 {
		v.Size = int64(gb) << 30
	}
	fields := v.usageFields()
	if mgr.On(release.ResizeEventOldSize) {
		fields["size"] = before
	}
	return mgr.UsageEvent(c.Ctx, "VOLUME.RESIZE", v.Account, kernel.ZoneID, v.ID, fields)
}

func listVolumes(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for _, v := range mgr.Volumes.All() {
		if !v.Removed.IsZero() || !tenancy.Visible(mgr.tenancy, c, v.Account) || c.Has("id") &&
			c.Str("id") != v.UUID || c.Differs("name", v.Name) ||
			c.Has("virtualmachineid") && (v.VM == nil || v.VM.UUID != c.Str("virtualmachineid")) ||
			c.Has("type") && (c.Str("type") == "ROOT") != (v.Template != nil) ||
			!kernel.Matches(c.Str("keyword"), v.Name) {
			continue
		}
		out = append(out, mgr.volumeAnswer(v))
	}
	return c.Page("volume", out), nil
}
