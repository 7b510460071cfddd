package net

import (
	"slices"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
)

// networkOfferingCommands make network offerings beside the built-in ones: a site needs its own for keep-alive and
// for a number of connections. An offering begins Disabled (CreateNetworkOfferingCmd.java@4.20.0.0).
func networkOfferingCommands() []command {
	return []command{
		{
			Name: "createNetworkOffering", About: "Creates a network offering.", Admin: true,
			Params: []param{
				{Name: "name", Type: "string", Required: true, About: "the name of the network offering"},
				{Name: "displaytext", Type: "string", About: "the display text of the network offering, defaults " +
					"to the value of 'name'."},
				{Name: "traffictype", Type: "string", Required: true, About: "the traffic type for the network " +
					"offering. Supported type in current release is GUEST only"},
				{Name: "guestiptype", Type: "string", Required: true, About: "guest type of the network " +
					"offering: Shared or Isolated"},
				{Name: "supportedservices", Type: "list", About: "services supported by the network offering"},
				{Name: "serviceproviderlist", Type: "map", About: "provider to service mapping. If not " +
					"specified, the provider for the service will be mapped to the default provider on the " +
					"physical network"},
				{Name: "forvpc", Type: "boolean", About: "true if network offering is meant to be used for VPC, " +
					"false otherwise."},
				{Name: "conservemode", Type: "boolean", About: "true if the network offering is IP conserve mode " +
					"enabled"},
				{Name: "keepaliveenabled", Type: "boolean", About: "if true keepalive will be turned on in the " +
					"loadbalancer. At the time of writing this has only an effect on haproxy; the mode http and " +
					"httpclose options are unset in the haproxy conf file."},
				{Name: "enable", Type: "boolean", About: "set to true if the offering is to be enabled during " +
					"creation. " +
					"Default is false"},
				{Name: "specifyvlan", Type: "boolean", About: "true if network offering supports vlans"},
				{Name: "networkrate", Type: "integer", About: "data transfer rate in megabits per second allowed"},
				{Name: "maxconnections", Type: "integer", About: "maximum number of concurrent connections " +
					"supported by the network offering"},
			},
			Run: createNetworkOffering,
		},
		{
			Name: "updateNetworkOffering", About: "Updates a network offering.", Admin: true,
			Params: []param{
				{Name: "id", Type: "uuid:networkoffering", About: "the id of the network offering"},
				{Name: "state", Type: "string", About: "update state for the network offering"},
				{Name: "name", Type: "string", About: "the name of the network offering"},
				{Name: "displaytext", Type: "string", About: "the display text of the network offering"},
			},
			Run: updateNetworkOffering,
		},
		{
			Name: "deleteNetworkOffering", About: "Deletes a network offering.", Admin: true,
			Params: []param{
				{Name: "id", Type: "uuid:networkoffering", Required: true, About: "the ID of the network offering"},
			},
			Run: deleteNetworkOffering,
		},
	}
}

func createNetworkOffering(mgr *Manager, c *kernel.Call) (obj, error) {
	mgr, services := mgr, c.List("supportedservices")
	for _, s := range services {
		if !slices.Contains(append(slices.Clone(vpcServices), "Firewall"), s) {
			return nil, api.Invalid("Invalid service name specified for the network offering: %s", s)
		}
	}
	if slices.ContainsFunc(mgr.NetworkOfferings, func(o *Offering) bool { return o.Name == c.Str("name") }) {
		return nil, api.Invalid("Network Offering with this name: %s already exists", c.Str("name"))
	}
	text := c.Str("displaytext")
	if text == "" {
		text = c.Str("name")
	}
	networkOffering(mgr, nextNetworkOffering(mgr), c.Str("name"), text, services, c.Boolean("forvpc", false),
		"Optional")
	o := mgr.NetworkOfferings[len(mgr.NetworkOfferings)-1]
	o.KeepAlive, o.MaxConn = c.Boolean("keepaliveenabled", false), c.Integer("maxconnections", o.MaxConn)
	o.Answer["state"], o.Answer["isdefault"] = "Disabled", false
	if c.Boolean("enable", false) {
		o.Answer["state"] = "Enabled"
	}
	o.Answer["specifyvlan"] = c.Boolean("specifyvlan", false)
	if c.Has("maxconnections") {
		o.Answer["maxconnections"] = o.MaxConn
	}
	if c.Has("networkrate") {
		o.Answer["networkrate"] = c.Integer("networkrate", 0)
	}
	return obj{"networkoffering": offeringAnswer(o)}, nil
}

// nextNetworkOffering is the id after the largest; built-in ones end at 17 or 18 in the releases.
func nextNetworkOffering(mgr *Manager) int64 {
	next := int64(18)
	for _, o := range mgr.NetworkOfferings {
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

func updateNetworkOffering(mgr *Manager, c *kernel.Call) (obj, error) {
	o := OfferingByUUID(mgr.NetworkOfferings, c.Str("id"))
	if o == nil {
		return nil, api.Invalid("unable to find network offering ")
	}
	if err := changeOfferingWords(c, o); err != nil {
		return nil, err
	}
	return obj{"networkoffering": offeringAnswer(o)}, nil
}

func deleteNetworkOffering(mgr *Manager, c *kernel.Call) (obj, error) {
	o := OfferingByUUID(mgr.NetworkOfferings, c.Str("id"))
	switch {
	case o == nil:
		return nil, api.Invalid("unable to find network offering %s", c.Str("id"))
	case o.Answer["isdefault"] == true:
		return nil, api.Invalid("Default network offering can't be deleted")
	case slices.ContainsFunc(mgr.Networks.All(), func(n *Network) bool {
		return n.Offering == o && n.Removed.IsZero()
	}):
		return nil, api.Invalid("Can't delete network offering %s as its used by 1 networks. To make the network "+
			"offering unavailable, disable it", mgr.ObjectText(kernel.LongText(o.ID), "NetworkOffering", "id", o.ID,
			"name", o.Name, "trafficType", "Guest", "uuid", o.UUID))
	}
	mgr.NetworkOfferings = slices.DeleteFunc(mgr.NetworkOfferings, func(x *Offering) bool { return x == o })
	return obj{"success": true}, nil
}
