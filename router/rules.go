package router

import (
	"fmt"

	"github.com/stackproof/stackproof/release"
)

// Rules are the properties of a release that decide what a push does on its routers. Each is independent of the others.
// The zero value is 4.19.2.0 to 4.21, without the leak.
type Rules struct {
	// CompareAsSet: the router compares the new file with the live one as sets of lines, so that a change which adds no
	// new line and loses none is not applied. Up to 4.19.1.x; ended by #9822 (CsFile.py@4.19.2.0).
	CompareAsSet bool
	// AlgorithmVerbatim: the balance line carries the algorithm as the user typed it, and HAProxy refuses any but lower
	// case. Up to 4.19.1.x; ended by #9698 (HAProxyConfigurator.java@4.19.2.0).
	AlgorithmVerbatim bool
	// CheckBeforeUse: the router has HAProxy check haproxy.cfg.new before it is copied and answers an error when it is
	// refused; the live file stays. From 4.22, #11468 (CsLoadBalancer.py).
	CheckBeforeUse bool
	// KeepAliveLeaks: after the first push with keep-alive, a management server writes keep-alive defaults into every
	// file, also of other networks, until it is restarted. All releases; part of #14131. It shows only on a Renderer
	// that lives as long as the server.
	KeepAliveLeaks bool
	// FrontendFirst: mode, cidr list and bind stand before balance and servers, and the statistics listeners always are
	// in http mode. From 4.22, #11468.
	FrontendFirst bool
	// EndsTLS: rules of protocol ssl with a certificate end TLS on the router. From 4.22, #11468.
	EndsTLS bool
	// PlainWithoutCertificate: one without a certificate is rendered as a rule of protocol tcp. From 4.22.
	PlainWithoutCertificate bool
	// KeepsForwardedProto: one with a certificate adds X-Forwarded-Proto to what a client sent. From 4.22.
	KeepsForwardedProto bool
	// KeepAliveForceclose: a keep-alive push writes "no option forceclose" into http rules, which HAProxy 2.0 and later
	// refuses. From 4.22; part of #14131.
	KeepAliveForceclose bool
	// IdleTimeout: the timeouts of clients and servers are those of the push. From 4.22.1, #12586.
	IdleTimeout bool
	// IdleTimeoutKept: a negative one leaves them as the server wrote them last, to whichever router. From 4.22.1.
	IdleTimeoutKept bool
	// Before418: the file has no admin socket, writes forceclose for httpclose (refused by HAProxy 2.0 and later) and
	// knows no cidr list. Up to 4.17; ended by #6571 and #6460 (HAProxyConfigurator.java@4.18.0.0).
	Before418 bool
	// Slips are planted: no release has any.
	Slips Slips
}

// RulesOf gives the rules of a set of knobs.
func RulesOf(on release.Knobs) Rules {
	return Rules{
		CompareAsSet:      on[release.VRCompareAsSet],
		AlgorithmVerbatim: on[release.AlgorithmVerbatim],
		CheckBeforeUse:    on[release.RouterVerifies],
		KeepAliveLeaks:    on[release.KeepAliveLeaks],
		FrontendFirst:     on[release.RuleBlockOrder2],
		EndsTLS:           on[release.SSLOffload],

		PlainWithoutCertificate: on[release.SSLWithoutCertificatePlain],
		KeepsForwardedProto:     on[release.ForwardedProtoKept],
		KeepAliveForceclose:     on[release.KeepAliveCookieInvalid],
		IdleTimeout:             on[release.IdleTimeout],
		IdleTimeoutKept:         on[release.IdleTimeoutKept],
		Before418:               on[release.RendererBefore418],
	}
}

// RulesFor gives the rules of a known release, of any patch level, such as 4.19.1.3, 4.20 or 4.22.0.0-SNAPSHOT. The
// error of another release names the nearest that is known.
func RulesFor(name string) (Rules, error) {
	on, err := release.KnobsOf(name)
	if err != nil {
		return Rules{}, fmt.Errorf("router rules: %w", err)
	}
	return RulesOf(on), nil
}
