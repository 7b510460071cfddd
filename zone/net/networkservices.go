package net

import (
	"fmt"
)

// networkServices is the service list of a network's answer: providers with what the router can do.
func networkServices(o *Offering, endsTLS bool) []obj {
	out := make([]obj, len(o.Services))
	for i, s := range o.Services {
		provider := o.Provider()
		if s == "Lb" {
			provider = o.LBProvider()
		}
		out[i] = obj{"name": s, "provider": []obj{{"name": provider}}, "capability": serviceCapabilities(o, s, endsTLS)}
	}
	return out
}

func serviceCapabilities(o *Offering, service string, endsTLS bool) []obj {
	switch service {
	case "SourceNat":
		return capabilities(true, "SupportedSourceNatTypes", "peraccount", "RedundantRouter", "false")
	case "Lb":
		return lbCapabilities(o, endsTLS)
	case "Dns":
		return capabilities(false, "AllowDnsSuffixModification", "true")
	case "Vpn":
		kinds := "removeaccessvpn"
		if o.ForVPC {
			kinds = "s2svpn"
		}
		return capabilities(false, "SupportedVpnTypes", "pptp,l2tp,ipsec", "VpnTypes", kinds)
	case "NetworkACL":
		return capabilities(false, "SupportedProtocols", "tcp,udp,icmp")
	case "Firewall":
		return capabilities(false, "MultipleIps", "true", "SupportedProtocols", "tcp,udp,icmp",
			"SupportedTrafficDirection", "ingress, egress",
			"SupportedEgressProtocols", "tcp,udp,icmp, all", "TrafficStatistics", "per public ip")
	case "PortForwarding":
		return capabilities(false, "SupportedProtocols", "tcp,udp")
	case "Dhcp":
		return capabilities(false, "DhcpAccrossMultipleSubnets", "true")
	case "StaticNat":
		return capabilities(false, "ElasticIp", "false", "AssociatePublicIP", "true")
	}
	return []obj{}
}

func lbCapabilities(o *Offering, endsTLS bool) []obj {
	protocols := "tcp, udp, tcp-proxy"
	if endsTLS {
		protocols += ", ssl"
	}
	out := capabilities(false, "SupportedLbAlgorithms", "roundrobin,leastconn,source", "SupportedProtocols",
		protocols,
		"AutoScaleCounters", `[{"methodname":"CPU","paramlist":[]},{"methodname":"MEMORY","paramlist":[]},`+
			`{"methodname":"VIRTUALROUTER","paramlist":[]}]`,
		"SupportedStickinessMethods", stickinessMethods(), "LbSchemes", "Public")
	if endsTLS {
		out = append(out, capabilities(false, "SslTermination", "true")...)
	}
	out = append(out, capabilities(true, "SupportedLBIsolation", "dedicated")...)
	return append(out, capabilities(false, "VmAutoScaling", fmt.Sprint(o.LBProvider() == o.Provider()), "ElasticLb",
		"false", "InlineMode", "false")...)
}

// stickinessMethods is the JSON text in the capability of the same name: clients decode it.
func stickinessMethods() string {
	method := func(name, about string, params ...string) string {
		list := ""
		for i, p := range params {
			flag := false
			if p[0] == '!' {
				flag, p = true, p[1:]
			}
			if i > 0 {
				list += ","
			}
			list += fmt.Sprintf(`{"paramname":%q,"required":false,"isflag":%t,"description":" "}`, p, flag)
		}
		return fmt.Sprintf(`{"methodname":%q,"paramlist":[%s],"description":%q}`, name, list, about)
	}
	return "[" + method("LbCookie", "This is loadbalancer cookie based stickiness method.", "cookie-name", "mode",
		"!nocache", "!indirect", "!postonly", "domain") +
		"," + method("AppCookie", "This is App session based sticky method. Define session stickiness on an "+
		"existing application cookie. It can be used only for a specific http traffic",
		"cookie-name", "length", "holdtime", "!request-learn", "!prefix", "mode") +
		"," + method("SourceBased", "This is source based Stickiness method, it can be used for any type of "+
		"protocol.", "tablesize", "expire") + "]"
}
