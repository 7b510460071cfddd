package router

import (
	"fmt"
	"regexp"
	"strconv"
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
	// FrontendFirst: mode, cidr list and bind stand before balance and servers, the statistics listeners always are in
	// http mode, and a keep-alive push writes "no option forceclose" into http rules, which HAProxy 2.0 and later
	// refuses. Rules with a certificate end TLS on the router; they are not rendered. From 4.22, #11468.
	FrontendFirst bool
	// Before418: the file has no admin socket, writes forceclose for httpclose (refused by HAProxy 2.0 and later) and
	// knows no cidr list. Up to 4.17; ended by #6571 and #6460 (HAProxyConfigurator.java@4.18.0.0).
	Before418 bool
}

type version [4]int

func (v version) before(o version) bool {
	for i := range v {
		if v[i] != o[i] {
			return v[i] < o[i]
		}
	}
	return false
}

func (v version) String() string { return fmt.Sprintf("%d.%d.%d.%d", v[0], v[1], v[2], v[3]) }

var releaseForm = regexp.MustCompile(`^(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:\.(\d{1,4}))?(?:-[0-9A-Za-z.-]+)?$`)

func parseVersion(release string) (version, bool) {
	m := releaseForm.FindStringSubmatch(release)
	if m == nil {
		return version{}, false
	}
	var v version
	for i := range v {
		if m[i+1] != "" {
			v[i], _ = strconv.Atoi(m[i+1]) // the form allows digits only
		}
	}
	return v, true
}

// RulesFor gives the rules of a release from 4.16 to 4.22, of any patch level, such as 4.19.1.3, 4.20 or
// 4.22.0.0-SNAPSHOT. The error of a release outside that range names the nearest one inside it.
func RulesFor(release string) (Rules, error) {
	v, ok := parseVersion(release)
	if !ok {
		return Rules{}, fmt.Errorf("release %q is not a version: want one from 4.16 to 4.22, such as 4.20.1.0", release)
	}
	if first, end := (version{4, 16}), (version{4, 23}); v.before(first) {
		return Rules{}, fmt.Errorf("router rules of release %s are not known: the nearest known is %s", release, first)
	} else if !v.before(end) {
		return Rules{}, fmt.Errorf("router rules of release %s are not known: the nearest known is 4.22.0.0", release)
	}
	before4192 := v.before(version{4, 19, 2})
	from422 := !v.before(version{4, 22})
	return Rules{
		CompareAsSet:      before4192,
		AlgorithmVerbatim: before4192,
		CheckBeforeUse:    from422,
		KeepAliveLeaks:    true,
		FrontendFirst:     from422,
		Before418:         v.before(version{4, 18}),
	}, nil
}
