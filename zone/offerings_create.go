package zone

import (
	"slices"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
)

// networkOfferingCommands make network offerings beside the built-in ones: a site needs its own for keep-alive and for a
// number of connections. An offering begins Disabled (CreateNetworkOfferingCmd.java@4.20.0.0).
func networkOfferingCommands() []command {
	return []command{
		{
			name: "createNetworkOffering", about: "Creates a network offering.", admin: true,
			params: []param{
				{"name", "string", true, "the name of the network offering"}, {"displaytext", "string", false, "the display text of the network offering, defaults to the value of 'name'."},
				{"traffictype", "string", true, "the traffic type for the network offering. Supported type in current release is GUEST only"},
				{"guestiptype", "string", true, "guest type of the network offering: Shared or Isolated"},
				{"supportedservices", "list", false, "services supported by the network offering"},
				{"serviceproviderlist", "map", false, "provider to service mapping. If not specified, the provider for the service will be mapped to the default provider on the physical network"},
				{"forvpc", "boolean", false, "true if network offering is meant to be used for VPC, false otherwise."},
				{"conservemode", "boolean", false, "true if the network offering is IP conserve mode enabled"},
				{"keepaliveenabled", "boolean", false, "if true keepalive will be turned on in the loadbalancer. At the time of writing this has only an effect on haproxy; the mode http and httpclose options are unset in the haproxy conf file."},
				{"maxconnections", "integer", false, "maximum number of concurrent connections supported by the network offering"},
			},
			run: createNetworkOffering,
		},
		{
			name: "updateNetworkOffering", about: "Updates a network offering.", admin: true,
			params: []param{
				{"id", "uuid:networkoffering", false, "the id of the network offering"}, {"state", "string", false, "update state for the network offering"},
				{"name", "string", false, "the name of the network offering"}, {"displaytext", "string", false, "the display text of the network offering"},
			},
			run: updateNetworkOffering,
		},
		{
			name: "deleteNetworkOffering", about: "Deletes a network offering.", admin: true,
			params: []param{{"id", "uuid:networkoffering", true, "the ID of the network offering"}},
			run:    deleteNetworkOffering,
		},
	}
}

func createNetworkOffering(z *Zone, c *call) (obj, error) {
	z, services := z, c.list("supportedservices")
	for _, s := range services {
		if !slices.Contains(append(slices.Clone(vpcServices), "Firewall"), s) {
			return nil, api.Invalid("Invalid service name specified for the network offering: %s", s)
		}
	}
	if slices.ContainsFunc(z.networkOfferings, func(o *Offering) bool { return o.Name == c.str("name") }) {
		return nil, api.Invalid("Network Offering with this name: %s already exists", c.str("name"))
	}
	text := c.str("displaytext")
	if text == "" {
		text = c.str("name")
	}
	z.networkOffering(z.nextNetworkOffering(), c.str("name"), text, services, c.boolean("forvpc", false), "Optional")
	o := z.networkOfferings[len(z.networkOfferings)-1]
	o.KeepAlive, o.MaxConn = c.boolean("keepaliveenabled", false), c.integer("maxconnections", o.MaxConn)
	o.Answer["state"], o.Answer["isdefault"] = "Disabled", false
	return obj{"networkoffering": offeringAnswer(o)}, nil
}

// nextNetworkOffering is the id after the largest; built-in ones end at 17 or 18 in the releases.
func (z *Zone) nextNetworkOffering() int64 {
	next := int64(18)
	for _, o := range z.networkOfferings {
		next = max(next, o.ID+1)
	}
	return next
}

func offeringAnswer(o *Offering) obj {
	out := obj{"id": o.UUID, "name": o.Name}
	for k, v := range o.Answer {
		out[k] = v
	}
	return out
}

func updateNetworkOffering(z *Zone, c *call) (obj, error) {
	o := offeringByUUID(z.networkOfferings, c.str("id"))
	if o == nil {
		return nil, api.Invalid("unable to find network offering ")
	}
	if v := c.str("state"); v != "" {
		if !strings.EqualFold(v, "Enabled") && !strings.EqualFold(v, "Disabled") {
			return nil, api.Invalid("Incorrect state value: %s", v)
		}
		o.Answer["state"] = capitalize(strings.ToLower(v))
	}
	if v := c.str("name"); v != "" {
		o.Name = v
	}
	if v := c.str("displaytext"); v != "" {
		o.Answer["displaytext"] = v
	}
	return obj{"networkoffering": offeringAnswer(o)}, nil
}

func deleteNetworkOffering(z *Zone, c *call) (obj, error) {
	o := offeringByUUID(z.networkOfferings, c.str("id"))
	switch {
	case o == nil:
		return nil, api.Invalid("unable to find network offering %s", c.str("id"))
	case o.Answer["isdefault"] == true:
		return nil, api.Invalid("Default network offering can't be deleted")
	case slices.ContainsFunc(z.networks, func(n *Network) bool { return n.Offering == o && n.Removed.IsZero() }):
		return nil, api.Invalid("Can't delete network offering %d as its used by 1 networks. To make the network offering unavailable, disable it", o.ID)
	}
	z.networkOfferings = slices.DeleteFunc(z.networkOfferings, func(x *Offering) bool { return x == o })
	return obj{"success": true}, nil
}
