package filecheck

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// command is what a router is to be made of, as far as its file shows it. Scalars are texts, as in a log.
type command struct {
	fields map[string]string
	rules  []rule
}

type rule struct {
	fields             map[string]string
	uuid, address, tcp string // tcp is the port
	revoked            bool
	certified          bool // it has a certificate that counts
	members            []member
	policies           []policy
}

type member struct{ ip, port string }

type policy struct {
	method string
	params []param
}

type param struct {
	name, value string
	null        bool
}

func (r rule) section() string { return strings.ReplaceAll(r.address, ".", "_") + "-" + r.tcp }

// readCommand takes a LoadBalancerConfigCommand apart (LoadBalancerTO.java@4.20.0.0).
func readCommand(raw json.RawMessage) (command, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return command{}, fmt.Errorf("reading a push: %w", err)
	}
	c := command{fields: texts(all)}
	if _, told := c.fields["lbStatsVisibility"]; !told {
		c.fields["lbStatsVisibility"] = "guest-network"
	}
	for _, one := range objects(all["loadBalancers"]) {
		f := texts(one)
		r := rule{fields: f, uuid: f["uuid"], address: f["srcIp"], tcp: f["srcPort"], revoked: f["revoked"] == "true"}
		var cert map[string]json.RawMessage
		if json.Unmarshal(one["sslCert"], &cert) == nil && cert != nil {
			r.certified = texts(cert)["revoked"] != "true"
		}
		for _, d := range objects(one["destinations"]) {
			if to := texts(d); to["revoked"] != "true" {
				r.members = append(r.members, member{to["destIp"], to["destPort"]})
			}
		}
		for _, s := range objects(one["stickinessPolicies"]) {
			p := policy{method: strings.ToLower(texts(s)["methodName"])}
			for _, pair := range objects(s["params"]) {
				words := texts(pair)
				value, there := words["u"]
				p.params = append(p.params, param{strings.ToLower(words["t"]), value, !there})
			}
			r.policies = append(r.policies, p)
		}
		c.rules = append(c.rules, r)
	}
	return c, nil
}

// texts are the scalars of an object.
func texts(of map[string]json.RawMessage) map[string]string {
	all := map[string]string{}
	for name, raw := range of {
		var text string
		switch {
		case json.Unmarshal(raw, &text) != nil:
			all[name] = string(raw)
		case string(raw) != "null":
			all[name] = text
		}
	}
	return all
}

func objects(raw json.RawMessage) []map[string]json.RawMessage {
	var all []map[string]json.RawMessage
	_ = json.Unmarshal(raw, &all) // a field that is not there, or no list, has none
	return all
}

// value is a parameter's, "null" for one without; of several with one name the last counts.
func (p policy) value(name, absent string) string {
	for _, one := range p.params {
		if one.name != name {
			continue
		}
		if absent = one.value; one.null {
			absent = "null"
		}
	}
	return absent
}

// has says whether a parameter is there, whatever its value.
func (p policy) has(name string) bool {
	return slices.ContainsFunc(p.params, func(one param) bool { return one.name == name })
}

// doors are what the push orders of the router's firewall: it closes what is revoked and not also opened.
func (c command) doors() (d Doors) {
	for _, r := range c.rules {
		at := r.address + ":" + r.tcp + ":"
		if !r.revoked && !slices.Contains(d.Add, at) {
			d.Add = append(d.Add, at)
		}
	}
	for _, r := range c.rules {
		at := r.address + ":" + r.tcp + ":"
		if r.revoked && !slices.Contains(d.Add, at) && !slices.Contains(d.Remove, at) {
			d.Remove = append(d.Remove, at)
		}
	}
	to := map[string]string{"global": c.fields["lbStatsPublicIP"], "guest-network": c.fields["lbStatsGuestIP"],
		"link-local": c.fields["lbStatsPrivateIP"], "all": "0.0.0.0/0"}[c.fields["lbStatsVisibility"]]
	d.Stat = []string{""}
	if to != "" {
		d.Stat = []string{to + ":" + c.fields["lbStatsPort"] + ":" + c.fields["lbStatsSrcCidrs"] + ":,"}
	}
	return d
}
