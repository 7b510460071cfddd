package autoscale

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

const defaultGrace = 120 // seconds, NetUtils.DEFAULT_AUTOSCALE_VM_DESTROY_TIME

// deployParams are the keys that otherdeployparams may have.
func deployParams() []string {
	return []string{
		"rootdisksize", "diskofferingid", "disksize", "overridediskofferingid", "securitygroupids", "keypairs",
		"affinitygroupids", "networkids",
	}
}

func scaleProfileCommands() []command {
	deploy := []param{
		{Name: "otherdeployparams", Type: "map", About: "parameters other than " +
			"zoneId/serviceOfferringId/templateId of the auto deployed virtual machine."},
		{Name: "expungevmgraceperiod", Type: "integer", About: "the time allowed for existing connections to get " +
			"closed before a vm is expunged"},
		{Name: "counterparam", Type: "map", About: "counterparam list. Example: " +
			"counterparam[0].name=snmpcommunity&counterparam[0].value=public"},
		{Name: "userdata", Type: "string", About: "an optional binary data that can be sent to the virtual " +
			"machine upon a successful deployment"},
		{Name: "userdataid", Type: "string", About: "the ID of the Userdata"},
		{Name: "userdatadetails", Type: "map", About: "used to specify the parameters values for the variables " +
			"in userdata."},
		{Name: "autoscaleuserid", Type: "uuid:user", About: "the ID of the user used to launch and destroy the VMs"},
		{Name: "fordisplay", Type: "boolean", About: "an optional field, whether to the display the profile to " +
			"the end user or not"},
	}
	return []command{
		{
			Name: "createAutoScaleVmProfile", About: "Creates a profile that contains information about the " +
				"virtual machine which will be provisioned automatically by autoscale feature.",
			Root: "autoscalevmprofileresponse", Class: autoscaleClasses + "CreateAutoScaleVmProfileCmd",
			Kind: kernel.AsyncCreate, Instance: "AutoScaleVmProfile",
			Event: "AUTOSCALEVMPROFILE.CREATE", Eventful: kernel.EventCreateOnly, Action: "creating autoscale vm " +
				"profile",
			Params: ownerParams(append([]param{
				{Name: "zoneid", Type: "uuid:zone", Required: true, About: "availability zone for the auto " +
					"deployed virtual machine"},
				{Name: "serviceofferingid", Type: "uuid:serviceoffering", Required: true, About: "the service " +
					"offering of the auto deployed virtual machine"},
				{Name: "templateid", Type: "uuid:template", Required: true, About: "the template of the auto " +
					"deployed virtual machine"},
			}, deploy...)...),
			Create: createProfile,
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				p := mgr.scaleProfileByUUID(c.Target.UUID)
				if p == nil {
					return nil, api.Internal("%s", mgr.Worded("Failed to create Autoscale Vm Profile",
						"Failed to create Autoscale Instance Profile"))
				}
				return obj{"autoscalevmprofile": profileAnswer(mgr, p)}, nil
			},
			Describe: func(mgr *Manager, c *kernel.Call) string {
				return mgr.Worded("creating AutoScale Vm Profile", "Creating AutoScale Instance Profile")
			},
		},
		{
			Name: "updateAutoScaleVmProfile", About: "Updates an existing autoscale vm profile.",
			Class: autoscaleClasses + "UpdateAutoScaleVmProfileCmd",
			Kind:  kernel.AsyncCommand, Event: "AUTOSCALEVMPROFILE.UPDATE", Eventful: kernel.EventAsync,
			Action: "updating autoscale vm profile",
			Params: append([]param{
				{Name: "id", Type: "uuid:scaleprofile", Required: true, About: "the ID of the autoscale vm profile"},
				{Name: "serviceofferingid", Type: "uuid:serviceoffering", About: "the service offering of the " +
					"auto deployed virtual machine"},
				{Name: "templateid", Type: "uuid:template", About: "the template of the auto deployed virtual machine"},
			}, deploy...),
			Run:     updateProfile,
			Subject: profileSubject,
			Describe: func(mgr *Manager, c *kernel.Call) string {
				kind := mgr.Worded("Vm", "Instance")
				return fmt.Sprintf("Updating AutoScale %s Profile. %s Profile Id: %d", kind, kind, c.Target.ID)
			},
			Detail: func(mgr *Manager, c *kernel.Call) string {
				return targetID(c, "AutoScale "+mgr.Worded("Vm", "Instance")+" Profile Id: ")
			},
		},
		{
			Name: "deleteAutoScaleVmProfile", About: "Deletes a autoscale vm profile.",
			Class: autoscaleClasses + "DeleteAutoScaleVmProfileCmd",
			Kind:  kernel.AsyncCommand, Event: "AUTOSCALEVMPROFILE.DELETE", Eventful: kernel.EventAsync,
			Action: "deleting autoscale vm profile",
			Params: []param{
				{Name: "id", Type: "uuid:scaleprofile", Required: true, About: "the ID of the autoscale profile"},
			}, Run: deleteProfile,
			Subject: profileSubject,
			Describe: func(mgr *Manager, c *kernel.Call) string {
				return mgr.Worded("deleting autoscale vm profile: ",
					"Deleting autoscale Instance profile: ") + targetID(c, "")
			},
			Detail: func(mgr *Manager, c *kernel.Call) string {
				return targetID(c, "AutoScale "+mgr.Worded("VM", "Instance")+" Profile Id: ")
			},
		},
		{
			Name: "listAutoScaleVmProfiles", About: "Lists autoscale vm profiles.",
			Params: kernel.ListParams(
				param{Name: "id", Type: "uuid:scaleprofile", About: "the ID of the autoscale vm profile"},
				param{Name: "templateid", Type: "uuid:template", About: "the templateid of the autoscale vm profile"},
				param{Name: "serviceofferingid", Type: "uuid:serviceoffering", About: "list profiles by service " +
					"offering id"},
				param{Name: "zoneid", Type: "uuid:zone", About: "availability zone for the auto deployed virtual " +
					"machine"},
				param{Name: "otherdeployparams", Type: "string", About: "the otherdeployparameters of the " +
					"autoscale vm profile"},
				param{Name: "fordisplay", Type: "boolean", About: "list resources by display flag"},
			),
			Run: listProfiles,
		},
	}
}

// profileSubject is what the events of update and delete name.
func profileSubject(mgr *Manager, c *kernel.Call) kernel.Subject {
	if one := mgr.scaleProfileByUUID(c.Str("id")); one != nil {
		return kernel.Named("AutoScaleVmProfile", one.ID, one.UUID, nil)
	}
	return kernel.Subject{Kind: "AutoScaleVmProfile"}
}

func createProfile(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	c.EventResourceType = "AutoScaleVmProfile"
	owner, err := tenancy.OwnerAccount(mgr.tenancy, c)
	if err != nil {
		return kernel.Created{}, err
	}
	p := &ScaleProfile{Account: owner, Grace: defaultGrace}
	if err := fillProfile(mgr, c, p); err != nil {
		return kernel.Created{}, err
	}
	p.UUID = mgr.UUID()
	row := profileRow(mgr, c, p)
	row["uuid"], row["zone_id"], row["domain_id"], row["account_id"], row["created"] = p.UUID, mgr.net.Site.ID,
		owner.Domain.ID, owner.ID, mgr.Now()
	if p.ID, err = mgr.Insert(c.Ctx, "cloud.autoscale_vmprofiles", row); err != nil {
		return kernel.Created{}, err
	}
	mgr.Profiles.Add(p)
	return kernel.Created{UUID: p.UUID, ID: p.ID}, nil
}

// profileRow holds the columns that an update may change.
func profileRow(mgr *Manager, c *kernel.Call, p *ScaleProfile) obj {
	row := obj{
		"service_offering_id": p.Offering.ID, "template_id": p.Template.ID, "expunge_vm_grace_period": p.Grace,
		"other_deploy_params": jsonText(p.Deploy), "counter_params": jsonText(p.Counter), "display": 1,
	}
	if p.UserID != nil {
		row["autoscale_user_id"] = p.UserID.ID
	}
	return row
}

func jsonText(m map[string]string) any {
	if len(m) == 0 {
		return nil
	}
	text, err := json.Marshal(m)
	if err != nil {
		return nil
	}
	return string(text)
}

// fillProfile takes over what the call names.
func fillProfile(mgr *Manager, c *kernel.Call, p *ScaleProfile) error {
	if c.Has("serviceofferingid") {
		p.Offering = net.OfferingByUUID(mgr.net.ServiceOfferings, c.Str("serviceofferingid"))
	}
	if c.Has("templateid") {
		p.Template = net.OfferingByUUID(mgr.net.Templates, c.Str("templateid"))
	}
	if p.Offering == nil {
		return api.Invalid("Unable to find service offering by id")
	}
	if p.Template == nil {
		return api.Invalid("Unable to use the given template.")
	}
	if p.Grace = c.Integer("expungevmgraceperiod", p.Grace); p.Grace < 0 {
		return api.Invalid("Expunge Vm Grace Period cannot be less than 0.")
	}
	if c.HasMap("otherdeployparams") {
		p.Deploy = map[string]string{}
		for _, e := range c.Entries("otherdeployparams") {
			if !slices.Contains(deployParams(), e["name"]) {
				return api.Invalid("Unsupported otherdeployparams key: %s. Supported values are [%s]", e["name"],
					strings.Join(deployParams(), ", "))
			}
			p.Deploy[e["name"]] = e["value"]
		}
	}
	if c.HasMap("counterparam") {
		p.Counter = map[string]string{}
		for _, e := range c.Entries("counterparam") {
			p.Counter[e["name"]] = e["value"]
		}
	}
	if c.Has("autoscaleuserid") {
		p.UserID = mgr.tenancy.UserByUUID(c.Str("autoscaleuserid"))
	}
	return nil
}

func updateProfile(mgr *Manager, c *kernel.Call) (obj, error) {
	p := mgr.scaleProfileByUUID(c.Str("id"))
	if p == nil {
		return nil, c.BadEntity("id", c.Str("id"))
	}
	if err := tenancy.MayUse(mgr.tenancy, c, p.Account, "profile"); err != nil {
		return nil, err
	}
	physical := c.Has("serviceofferingid") || c.Has("templateid") || c.Has("expungevmgraceperiod") ||
		c.HasMap("otherdeployparams") || c.HasMap("counterparam")
	for _, g := range mgr.Groups.All() {
		if physical && g.Profile == p && g.Removed.IsZero() && g.State != groupDisabled {
			return nil, api.Invalid("The AutoScale Vm Profile can be updated only if the Vm Group it is " +
				"associated with is disabled in state")
		}
	}
	changed := *p
	if err := fillProfile(mgr, c, &changed); err != nil {
		return nil, err
	}
	*p = changed
	if err := mgr.Update(c.Ctx, "cloud.autoscale_vmprofiles", p.ID, profileRow(mgr, c, p)); err != nil {
		return nil, err
	}
	return obj{"autoscalevmprofile": profileAnswer(mgr, p)}, nil
}

func deleteProfile(mgr *Manager, c *kernel.Call) (obj, error) {
	p := mgr.scaleProfileByUUID(c.Str("id"))
	if p == nil {
		return nil, c.BadEntity("id", c.Str("id"))
	}
	if err := tenancy.MayUse(mgr.tenancy, c, p.Account, "profile"); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(mgr.Groups.All(), func(g *Group) bool { return g.Profile == p && g.Removed.IsZero() }) {
		return nil, api.Invalid("Cannot delete AutoScale Vm Profile when it is in use by one more vm groups")
	}
	mgr.Profiles.Remove(p)
	if err := mgr.Update(c.Ctx, "cloud.autoscale_vmprofiles", p.ID, obj{"removed": mgr.Now()}); err != nil {
		return nil, err
	}
	return obj{"success": true}, nil
}

func listProfiles(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for _, p := range slices.Backward(mgr.Profiles.All()) {
		switch {
		case !tenancy.Visible(mgr.tenancy, c, p.Account), c.Has("id") && p.UUID != c.Str("id"):
		case c.Has("templateid") && p.Template.UUID != c.Str("templateid"):
		case c.Has("serviceofferingid") && p.Offering.UUID != c.Str("serviceofferingid"):
		default:
			out = append(out, profileAnswer(mgr, p))
		}
	}
	return c.Page("autoscalevmprofile", out), nil
}
