package router

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// commandFields and ruleFields are what every release's push has (LoadBalancerConfigCommand.java, LoadBalancerTO.java
// @4.20.0.0), whether it is rendered or not; the rest is what single releases have.
func commandFields() []string {
	return strings.Fields(
		"loadBalancers lbStatsVisibility lbStatsPublicIP lbStatsPrivateIP lbStatsGuestIP lbStatsPort " +
			"lbStatsSrcCidrs lbStatsAuth lbStatsUri lbStatsPublicCidrs maxconn keepAliveEnabled nic vpcId " +
			"accessDetails " +
			"wait bypassHostMaintenance contextMap logid requestSequence",
	)
}

func ruleFields(rules Rules) []string {
	all := strings.Fields("uuid srcIp srcPort protocol lbProtocol algorithm revoked alreadyAdded inline destinations " +
		"stickinessPolicies healthCheckPolicies autoScaleVmGroupTO networkId srcIpVlan srcIpGateway")
	if !rules.Before418 {
		all = append(all, "cidrList")
	}
	if rules.EndsTLS {
		all = append(all, "sslCert")
	}
	return all
}

// Unknown names the fields of pushes that a release does not render because its pushes have no such field. Empty fields
// say nothing.
func Unknown(pushes []Push, rules Rules) []string {
	found := map[string]bool{}
	look := func(prefix string, raw json.RawMessage, known []string) {
		var fields map[string]json.RawMessage
		if json.Unmarshal(raw, &fields) != nil {
			return
		}
		for name, value := range fields {
			if !slices.Contains(known, name) && !slices.Contains([]string{"null", `""`, "[]", "{}"}, string(value)) {
				found[prefix+name] = true
			}
		}
	}
	for _, p := range pushes {
		look("", p.Raw, commandFields())
		var list struct{ LoadBalancers []json.RawMessage }
		if json.Unmarshal(p.Raw, &list) != nil {
			continue
		}
		for _, one := range list.LoadBalancers {
			look("loadBalancers.", one, ruleFields(rules))
		}
	}
	return slices.Sorted(maps.Keys(found))
}
