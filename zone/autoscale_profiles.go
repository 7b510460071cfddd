package zone

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
)

const defaultGrace = 120 // seconds, NetUtils.DEFAULT_AUTOSCALE_VM_DESTROY_TIME

// deployParams are the keys that otherdeployparams may have.
func deployParams() []string {
	return []string{
		"rootdisksize", "diskofferingid", "disksize", "overridediskofferingid", "securitygroupids", "keypairs", "affinitygroupids", "networkids",
	}
}

func scaleProfileCommands() []command {
	deploy := []param{
		{"otherdeployparams", "map", false, "parameters other than zoneId/serviceOfferringId/templateId of the auto deployed virtual machine."},
		{"expungevmgraceperiod", "integer", false, "the time allowed for existing connections to get closed before a vm is expunged"},
		{"counterparam", "map", false, "counterparam list. Example: counterparam[0].name=snmpcommunity&counterparam[0].value=public"},
		{"userdata", "string", false, "an optional binary data that can be sent to the virtual machine upon a successful deployment"},
		{"userdataid", "string", false, "the ID of the Userdata"}, {"userdatadetails", "map", false, "used to specify the parameters values for the variables in userdata."},
		{"autoscaleuserid", "uuid:user", false, "the ID of the user used to launch and destroy the VMs"},
		{"fordisplay", "boolean", false, "an optional field, whether to the display the profile to the end user or not"},
	}
	return []command{
		{
			name: "createAutoScaleVmProfile", about: "Creates a profile that contains information about the virtual machine which will be provisioned automatically by autoscale feature.",
			root: "autoscalevmprofileresponse", class: autoscaleClasses + "CreateAutoScaleVmProfileCmd", kind: asyncCreate, instance: "AutoScaleVmProfile",
			event: "AUTOSCALEVMPROFILE.CREATE", eventful: eventCreateOnly, action: "creating autoscale vm profile",
			params: ownerParams(append([]param{
				{"zoneid", "uuid:zone", true, "availability zone for the auto deployed virtual machine"},
				{"serviceofferingid", "uuid:serviceoffering", true, "the service offering of the auto deployed virtual machine"},
				{"templateid", "uuid:template", true, "the template of the auto deployed virtual machine"},
			}, deploy...)...),
			create: createProfile,
			run: func(z *Zone, c *call) (obj, error) {
				p := z.scaleProfileByUUID(c.target.uuid)
				if p == nil {
					return nil, api.Internal("Failed to create Autoscale Vm Profile")
				}
				return obj{"autoscalevmprofile": z.profileAnswer(p)}, nil
			},
			describe: func(z *Zone, c *call) string { c.eventResource = c.target.id; return "creating AutoScale Vm Profile" },
		},
		{
			name: "updateAutoScaleVmProfile", about: "Updates an existing autoscale vm profile.", class: autoscaleClasses + "UpdateAutoScaleVmProfileCmd",
			kind: asyncCommand, event: "AUTOSCALEVMPROFILE.UPDATE", eventful: eventAsync, action: "updating autoscale vm profile",
			params: append([]param{
				{"id", "uuid:scaleprofile", true, "the ID of the autoscale vm profile"},
				{"serviceofferingid", "uuid:serviceoffering", false, "the service offering of the auto deployed virtual machine"},
				{"templateid", "uuid:template", false, "the template of the auto deployed virtual machine"},
			}, deploy...),
			run: updateProfile,
			describe: func(z *Zone, c *call) string {
				return "Updating AutoScale Vm Profile." + profileID(z, c, " Vm Profile Id: ")
			},
			detail: func(z *Zone, c *call) string { return profileID(z, c, "AutoScale Vm Profile Id: ") },
		},
		{
			name: "deleteAutoScaleVmProfile", about: "Deletes a autoscale vm profile.", class: autoscaleClasses + "DeleteAutoScaleVmProfileCmd",
			kind: asyncCommand, event: "AUTOSCALEVMPROFILE.DELETE", eventful: eventAsync, action: "deleting autoscale vm profile",
			params: []param{{"id", "uuid:scaleprofile", true, "the ID of the autoscale profile"}}, run: deleteProfile,
			describe: func(z *Zone, c *call) string { return "deleting autoscale vm profile: " + profileID(z, c, "") },
			detail:   func(z *Zone, c *call) string { return profileID(z, c, "AutoScale VM Profile Id: ") },
		},
		{
			name: "listAutoScaleVmProfiles", about: "Lists autoscale vm profiles.",
			params: listParams(
				param{"id", "uuid:scaleprofile", false, "the ID of the autoscale vm profile"}, param{"templateid", "uuid:template", false, "the templateid of the autoscale vm profile"},
				param{"serviceofferingid", "uuid:serviceoffering", false, "list profiles by service offering id"}, param{"zoneid", "uuid:zone", false, "availability zone for the auto deployed virtual machine"},
				param{"otherdeployparams", "string", false, "the otherdeployparameters of the autoscale vm profile"}, param{"fordisplay", "boolean", false, "list resources by display flag"},
			),
			run: listProfiles,
		},
	}
}

func profileID(z *Zone, c *call, words string) string {
	c.eventResourceType = "AutoScaleVmProfile"
	if p := z.scaleProfileByUUID(c.str("id")); p != nil {
		c.eventResource, c.target = p.ID, created{p.UUID, p.ID}
	}
	return fmt.Sprintf("%s%d", words, c.target.id)
}

func createProfile(z *Zone, c *call) (created, error) {
	c.eventResourceType = "AutoScaleVmProfile"
	owner, err := ownerAccount(z, c)
	if err != nil {
		return created{}, err
	}
	p := &ScaleProfile{Account: owner, Grace: defaultGrace}
	if err := fillProfile(z, c, p); err != nil {
		return created{}, err
	}
	p.UUID = z.uuid()
	row := profileRow(z, c, p)
	row["uuid"], row["zone_id"], row["domain_id"], row["account_id"], row["created"] = p.UUID, z.site.ID, owner.Domain.ID, owner.ID, z.now()
	if p.ID, err = z.insert(c.ctx, "cloud.autoscale_vmprofiles", row); err != nil {
		return created{}, err
	}
	z.profiles = append(z.profiles, p)
	return created{p.UUID, p.ID}, nil
}

// profileRow holds the columns that an update may change.
func profileRow(z *Zone, c *call, p *ScaleProfile) obj {
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
func fillProfile(z *Zone, c *call, p *ScaleProfile) error {
	if c.has("serviceofferingid") {
		p.Offering = offeringByUUID(z.serviceOfferings, c.str("serviceofferingid"))
	}
	if c.has("templateid") {
		p.Template = offeringByUUID(z.templates, c.str("templateid"))
	}
	if p.Offering == nil {
		return api.Invalid("Unable to find service offering by id")
	}
	if p.Template == nil {
		return api.Invalid("Unable to use the given template.")
	}
	if p.Grace = c.integer("expungevmgraceperiod", p.Grace); p.Grace < 0 {
		return api.Invalid("Expunge Vm Grace Period cannot be less than 0.")
	}
	if c.hasMap("otherdeployparams") {
		p.Deploy = map[string]string{}
		for _, e := range c.entries("otherdeployparams") {
			if !slices.Contains(deployParams(), e["name"]) {
				return api.Invalid("Unsupported otherdeployparams key: %s. Supported values are [%s]", e["name"], strings.Join(deployParams(), ", "))
			}
			p.Deploy[e["name"]] = e["value"]
		}
	}
	if c.hasMap("counterparam") {
		p.Counter = map[string]string{}
		for _, e := range c.entries("counterparam") {
			p.Counter[e["name"]] = e["value"]
		}
	}
	if c.has("autoscaleuserid") {
		p.UserID = z.userByUUID(c.str("autoscaleuserid"))
	}
	return nil
}

func updateProfile(z *Zone, c *call) (obj, error) {
	p := z.scaleProfileByUUID(c.str("id"))
	if p == nil {
		return nil, c.badEntity("id", c.str("id"))
	}
	if err := mayUse(z, c, p.Account, "profile"); err != nil {
		return nil, err
	}
	physical := c.has("serviceofferingid") || c.has("templateid") || c.has("expungevmgraceperiod") || c.hasMap("otherdeployparams") || c.hasMap("counterparam")
	for _, g := range z.groups {
		if physical && g.Profile == p && g.Removed.IsZero() && g.State != groupDisabled {
			return nil, api.Invalid("The AutoScale Vm Profile can be updated only if the Vm Group it is associated with is disabled in state")
		}
	}
	changed := *p
	if err := fillProfile(z, c, &changed); err != nil {
		return nil, err
	}
	*p = changed
	if err := z.update(c.ctx, "cloud.autoscale_vmprofiles", p.ID, profileRow(z, c, p)); err != nil {
		return nil, err
	}
	return obj{"autoscalevmprofile": z.profileAnswer(p)}, nil
}

func deleteProfile(z *Zone, c *call) (obj, error) {
	p := z.scaleProfileByUUID(c.str("id"))
	if p == nil {
		return nil, c.badEntity("id", c.str("id"))
	}
	if err := mayUse(z, c, p.Account, "profile"); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(z.groups, func(g *Group) bool { return g.Profile == p && g.Removed.IsZero() }) {
		return nil, api.Invalid("Cannot delete AutoScale Vm Profile when it is in use by one more vm groups")
	}
	z.profiles = slices.DeleteFunc(z.profiles, func(o *ScaleProfile) bool { return o == p })
	if err := z.update(c.ctx, "cloud.autoscale_vmprofiles", p.ID, obj{"removed": z.now()}); err != nil {
		return nil, err
	}
	return obj{"success": true}, nil
}

func listProfiles(z *Zone, c *call) (obj, error) {
	var out []obj
	for _, p := range slices.Backward(z.profiles) {
		switch {
		case !visible(z, c, p.Account), c.has("id") && p.UUID != c.str("id"):
		case c.has("templateid") && p.Template.UUID != c.str("templateid"):
		case c.has("serviceofferingid") && p.Offering.UUID != c.str("serviceofferingid"):
		default:
			out = append(out, z.profileAnswer(p))
		}
	}
	return c.page("autoscalevmprofile", out), nil
}
