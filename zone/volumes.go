package zone

import (
	"context"
	"fmt"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
)

// Volumes live in memory only: of them the databases see usage events.

// createVolume adds a volume with its event row and usage event.
func (z *Zone) createVolume(ctx context.Context, v *Volume, user *User) (*Volume, error) {
	z.ids["cloud.volumes"]++
	v.ID, v.UUID, v.Created = z.ids["cloud.volumes"], z.uuid(), z.now()
	z.volumes = append(z.volumes, v)
	text, vm := "DATADISK", ""
	if v.Template != nil {
		text = "ROOT"
	}
	if v.VM != nil {
		vm = " Vm Id: " + v.VM.UUID
	}
	if _, err := z.event(ctx, Event{Type: "VOLUME.CREATE", State: "Created", User: user, Account: v.Account, ResourceID: v.ID, ResourceType: "Volume", ResourceUUID: v.UUID,
		Text: fmt.Sprintf("Successfully created entity for creating %s volume. Volume Type: %sVolume Id: %s%s", text, text, v.UUID, vm)}); err != nil {
		return nil, err
	}
	return v, z.usageEvent(ctx, "VOLUME.CREATE", v.Account, zoneID, v.ID, v.usageFields())
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

// deleteVolume removes a volume; that of a destroyed VM had its event then.
func (z *Zone) deleteVolume(ctx context.Context, v *Volume) error {
	told := v.State == "Destroy" || v.State == "Allocated" && z.knobs[fault.VolumeDeleteEventLost]
	v.State, v.Removed = "Expunged", z.now()
	if told {
		return nil
	}
	return z.volumeEnded(ctx, v)
}

func (z *Zone) volumeEnded(ctx context.Context, v *Volume) error {
	return z.usageEvent(ctx, "VOLUME.DELETE", v.Account, zoneID, v.ID, obj{"resource_name": v.Name})
}

func (z *Zone) volumeAnswer(v *Volume) obj {
	out := obj{
		"id": v.UUID, "name": v.Name, "zoneid": z.site.UUID, "zonename": siteName, "type": "DATADISK", "size": v.Size, "created": stamp(v.Created),
		"state": v.State, "storagetype": "shared", "provisioningtype": "thin", "hypervisor": "Simulator", "tags": []obj{}, "isextractable": false,
		"quiescevm": false, "destroyed": false, "hasannotations": false,
	}
	if v.Template != nil {
		out["type"], out["templateid"], out["templatename"] = "ROOT", v.Template.UUID, v.Template.Name
	}
	if v.Offering != nil {
		out["diskofferingid"], out["diskofferingname"] = v.Offering.UUID, v.Offering.Name
	}
	if v.VM != nil {
		out["virtualmachineid"], out["vmname"], out["vmdisplayname"], out["vmstate"] = v.VM.UUID, v.VM.Name, v.VM.DisplayName, v.VM.State
		out["deviceid"] = v.Device
	}
	z.owned(out, v.Account)
	return out
}

func (z *Zone) volumeCommands() []command {
	id := param{"id", "uuid:volume", true, "the ID of the volume"}
	one := func(name, about, class, event, action string, run func(*Zone, *call, *Volume) error, params ...param) command {
		return command{
			name: name, about: about, class: adminClasses + "volume." + class, kind: asyncCommand, instance: "Volume", event: event, eventful: eventAsync,
			action: action, params: params, check: checkVolume, describe: func(z *Zone, c *call) string { return action + ": " + c.str("id") },
			run: func(z *Zone, c *call) (obj, error) {
				v, err := volumeParam(z, c, "id")
				if err != nil {
					return nil, err
				}
				if err := run(z, c, v); err != nil {
					return nil, err
				}
				return obj{"volume": z.volumeAnswer(v)}, nil
			},
		}
	}
	return []command{
		{
			name: "createVolume", about: "Creates a disk volume from a disk offering.", class: adminClasses + "volume.CreateVolumeCmdByAdmin", kind: asyncCreate,
			instance: "Volume", params: []param{
				{"name", "string", false, "the name of the disk volume"}, {"diskofferingid", "uuid:diskoffering", true, "the ID of the disk offering"},
				{"zoneid", "uuid:zone", false, "the ID of the availability zone"}, {"account", "string", false, "the account associated with the disk volume"},
				{"domainid", "uuid:domain", false, "the domain ID associated with the disk offering"},
			},
			create: newVolume,
			run: func(z *Zone, c *call) (obj, error) {
				return obj{"volume": z.volumeAnswer(z.volumeByUUID(c.target.uuid))}, nil
			},
		},
		{
			name: "listVolumes", about: "Lists all volumes.",
			params: listParams(param{"id", "uuid:volume", false, "the ID of the disk volume"}, param{"name", "string", false, "the name of the disk volume"},
				param{"virtualmachineid", "uuid:vm", false, "the ID of the virtual machine"}, param{"type", "string", false, "the type of disk volume"}),
			run: listVolumes,
		},
		one("attachVolume", "Attaches a disk volume to a virtual machine.", "AttachVolumeCmdByAdmin", "VOLUME.ATTACH", "attaching volume", attachVolume, id,
			param{"virtualmachineid", "uuid:vm", true, "the ID of the virtual machine"}),
		one("detachVolume", "Detaches a disk volume from a virtual machine.", "DetachVolumeCmdByAdmin", "VOLUME.DETACH", "detaching volume", func(z *Zone, c *call, v *Volume) error {
			if v.VM == nil || v.Device == 0 {
				return api.Invalid("The specified volume is not attached to a VM.")
			}
			v.VM, v.Device = nil, 0
			return nil
		}, id),
		one("resizeVolume", "Resizes a volume", "ResizeVolumeCmdByAdmin", "VOLUME.RESIZE", "resizing volume", resizeVolume, id,
			param{"size", "long", false, "New volume size in GB"}, param{"diskofferingid", "uuid:diskoffering", false, "new disk offering id"}),
		{
			name: "deleteVolume", about: "Deletes a detached disk volume.", class: userClasses + "volume.DeleteVolumeCmd", params: []param{id}, check: checkVolume,
			event: "VOLUME.DELETE", eventful: eventSync, action: "deleting volume",
			run: func(z *Zone, c *call) (obj, error) {
				v, err := volumeParam(z, c, "id")
				if err != nil {
					return nil, err
				}
				if v.VM != nil {
					return nil, api.Invalid("Please specify a volume that is not attached to any VM.")
				}
				return obj{"success": true}, z.deleteVolume(c.ctx, v)
			},
		},
	}
}

func checkVolume(z *Zone, c *call) error {
	v, err := volumeParam(z, c, "id")
	if err != nil {
		return err
	}
	if !v.Removed.IsZero() {
		return api.Invalid("Unable to find volume with ID: %s", v.UUID)
	}
	c.owner, c.eventResource, c.eventResourceType = v.Account, v.ID, "Volume"
	return mayUse(z, c, v.Account, "Volume")
}

func newVolume(z *Zone, c *call) (created, error) {
	owner, err := ownerAccount(z, c)
	if err != nil {
		return created{}, err
	}
	o := offeringByUUID(z.diskOfferings, c.str("diskofferingid"))
	gb, _ := o.Answer["disksize"].(int)
	v, err := z.createVolume(c.ctx, &Volume{Name: c.str("name"), Size: int64(gb) << 30, Account: owner, Offering: o, State: "Allocated"}, callerOf(c))
	if err != nil {
		return created{}, err
	}
	return created{uuid: v.UUID, id: v.ID}, nil
}

func attachVolume(z *Zone, c *call, v *Volume) error {
	vm, err := vmParam(z, c, "virtualmachineid")
	if err != nil {
		return err
	}
	if v.VM != nil {
		return api.Invalid("Please specify a volume that is not attached to any VM.")
	}
	if vm.State != "Running" && vm.State != "Stopped" {
		return api.Invalid("Please specify a VM that is either running or stopped.")
	}
	if v.State == "Uploaded" { // it comes to primary storage now
		if err := z.usageEvent(c.ctx, "VOLUME.CREATE", v.Account, zoneID, v.ID, v.usageFields()); err != nil {
			return err
		}
	}
	v.VM, v.Device, v.State = vm, 1, "Ready"
	for _, o := range z.volumes {
		if o != v && o.VM == vm && o.Device >= v.Device {
			v.Device = o.Device + 1
		}
	}
	return nil
}

func resizeVolume(z *Zone, c *call, v *Volume) error {
	before := v.Size
	if o := offeringByUUID(z.diskOfferings, c.str("diskofferingid")); o != nil {
		gb, _ := o.Answer["disksize"].(int)
		v.Offering, v.Size = o, int64(gb)<<30
	}
	if gb := c.integer("size", 0); gb > 0 {
		v.Size = int64(gb) << 30
	}
	fields := v.usageFields()
	if z.knobs[release.ResizeEventOldSize] {
		fields["size"] = before
	}
	return z.usageEvent(c.ctx, "VOLUME.RESIZE", v.Account, zoneID, v.ID, fields)
}

func listVolumes(z *Zone, c *call) (obj, error) {
	var out []obj
	for _, v := range z.volumes {
		if !v.Removed.IsZero() || !visible(z, c, v.Account) || c.has("id") && c.str("id") != v.UUID || c.has("name") && c.str("name") != v.Name ||
			c.has("virtualmachineid") && (v.VM == nil || v.VM.UUID != c.str("virtualmachineid")) ||
			c.has("type") && (c.str("type") == "ROOT") != (v.Template != nil) || !matches(c.str("keyword"), v.Name) {
			continue
		}
		out = append(out, z.volumeAnswer(v))
	}
	return c.page("volume", out), nil
}
