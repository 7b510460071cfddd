package witness

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Leaves are the values of a push, each under the path of its field. Rules go by their uuid, members by their address,
// parameters by their name, so that a path means the same thing in every push; what is there twice has "#2" behind it.
type Leaves map[string]string

// content is a push taken apart: its leaves, and what came in which order.
type content struct {
	leaves Leaves
	rules  []string            // uuids
	order  map[string][]string // addresses of members, by rule
}

// read takes a push apart. Scalars may be texts, as a server logs them, or numbers and booleans.
func read(raw json.RawMessage) (content, error) {
	var command map[string]json.RawMessage
	if err := json.Unmarshal(raw, &command); err != nil {
		return content{}, fmt.Errorf("reading a push: %w", err)
	}
	c := content{leaves: Leaves{}, order: map[string][]string{}}
	for name, value := range command {
		if name != "loadBalancers" {
			c.leaves.add(name, value)
			continue
		}
		var rules []map[string]json.RawMessage
		if err := json.Unmarshal(value, &rules); err != nil {
			return content{}, fmt.Errorf("reading a push: loadBalancers: %w", err)
		}
		for _, r := range rules {
			if err := c.rule(r); err != nil {
				return content{}, fmt.Errorf("reading a push: %w", err)
			}
		}
	}
	// The field's name changed, and no router reads it (NicTO.java@4.21.0.0).
	if value, renamed := c.leaves["nic.securityGroupEnabled"]; renamed {
		c.leaves["nic.isSecurityGroupEnabled"] = value
		delete(c.leaves, "nic.securityGroupEnabled")
	}
	return c, nil
}

func (c *content) rule(fields map[string]json.RawMessage) error {
	uuid := unquoted(fields["uuid"])
	at := c.leaves.free(rulePath(uuid))
	c.rules = append(c.rules, strings.TrimPrefix(at, rulePath("")))
	for name, value := range fields {
		switch name {
		case "uuid":
			c.leaves[at] = "there"
		case "destinations":
			if err := c.members(uuid, at, value); err != nil {
				return err
			}
		case "stickinessPolicies":
			if err := c.policies(at, value); err != nil {
				return err
			}
		case "sslCert":
			if err := c.certificate(at, value); err != nil {
				return err
			}
		default:
			c.leaves.add(at+"/"+name, value)
		}
	}
	return nil
}

func (c *content) members(uuid, at string, raw json.RawMessage) error {
	var all []map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return fmt.Errorf("destinations of rule %s: %w", uuid, err)
	}
	for _, one := range all {
		ip := unquoted(one["destIp"])
		path := c.leaves.free(memberPath(at, ip))
		c.leaves[path] = "there"
		c.order[uuid] = append(c.order[uuid], ip)
		for name, value := range one {
			if name != "destIp" {
				c.leaves.add(path+"/"+name, value)
			}
		}
	}
	return nil
}

func (c *content) policies(at string, raw json.RawMessage) error {
	var all []struct {
		Method string `json:"methodName"`
		Params []struct {
			Name  string           `json:"t"`
			Value *json.RawMessage `json:"u"`
		} `json:"params"`
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		return fmt.Errorf("stickinessPolicies of %s: %w", at, err)
	}
	for i, one := range all {
		path := at + "/policy " + strconv.Itoa(i+1)
		c.leaves[path] = one.Method
		for _, p := range one.Params {
			value := "null"
			if p.Value != nil {
				value = unquoted(*p.Value)
			}
			c.leaves[c.leaves.free(path+"/"+strings.ToLower(p.Name))] = value
		}
	}
	return nil
}

// certificate takes the public part of a rule's certificate, which counts for nothing once it is revoked.
func (c *content) certificate(at string, raw json.RawMessage) error {
	var one struct {
		Cert, Chain string
		Revoked     json.RawMessage
	}
	if err := json.Unmarshal(raw, &one); err != nil {
		return fmt.Errorf("sslCert of %s: %w", at, err)
	}
	if unquoted(one.Revoked) != "true" {
		c.leaves[at+"/certificate"] = certificateName(one.Cert, one.Chain)
	}
	return nil
}

// certificateName is short, and another one for each certificate and chain.
func certificateName(cert, chain string) string {
	sum := sha256.Sum256([]byte(cert + "\n" + chain))
	return "SHA-256 " + hex.EncodeToString(sum[:8])
}

func rulePath(uuid string) string { return "rule " + uuid }

func memberPath(rule, ip string) string { return rule + "/member " + ip }

// free is the path, or the path with a number behind it where the push has it already.
func (l Leaves) free(path string) string {
	at := path
	for n := 2; ; n++ {
		if _, taken := l[at]; !taken {
			return at
		}
		at = fmt.Sprintf("%s#%d", path, n)
	}
}

// add adds a value with all that is in it.
func (l Leaves) add(path string, raw json.RawMessage) {
	var fields map[string]json.RawMessage
	var list []json.RawMessage
	switch {
	case json.Unmarshal(raw, &fields) == nil && fields != nil:
		for name, value := range fields {
			l.add(path+"."+name, value)
		}
	case json.Unmarshal(raw, &list) == nil && list != nil:
		for i, value := range list {
			l.add(fmt.Sprintf("%s[%d]", path, i), value)
		}
	default:
		l[l.free(path)] = unquoted(raw)
	}
}

func unquoted(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// Difference is a field in which a push is not what the API says.
type Difference struct {
	Path      string // of the leaf
	API, Push string // Absent where there is none
}

// Absent stands for a field that is not there.
const Absent = "(absent)"

// compare lists the fields in which a push is not as expected, in the order of their paths.
func compare(want, have Leaves) []Difference {
	var all []Difference
	for path, value := range want {
		if got, there := have[path]; !there {
			all = append(all, Difference{path, value, Absent})
		} else if got != value {
			all = append(all, Difference{path, value, got})
		}
	}
	for path, value := range have {
		if _, due := want[path]; !due && judged(path) {
			all = append(all, Difference{path, Absent, value})
		}
	}
	all = together(all, want, have)
	slices.SortFunc(all, func(a, b Difference) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// Members is the difference of a rule that should have the first members and is pushed with others.
func Members(rule string, api, pushed []string) Difference {
	slices.Sort(api)
	slices.Sort(pushed)
	return Difference{rulePath(rule) + "/members", strings.Join(api, " "), strings.Join(pushed, " ")}
}

// together tells what follows from a rule or a member that is missing, or too many, as one difference.
func together(all []Difference, want, have Leaves) (rest []Difference) {
	missing, regrouped := map[string]bool{}, map[string]bool{}
	for _, d := range all {
		rule, field, _ := strings.Cut(d.Path, "/")
		missing[rule] = missing[rule] || field == ""
		if strings.HasPrefix(field, "member ") && !strings.Contains(field, "/") {
			regrouped[rule] = true
		}
	}
	for _, d := range all {
		rule, field, _ := strings.Cut(d.Path, "/")
		if field != "" && (missing[rule] || regrouped[rule] && strings.HasPrefix(field, "member ")) {
			continue
		}
		rest = append(rest, d)
	}
	for rule := range regrouped {
		if !missing[rule] {
			rest = append(rest, Members(strings.TrimPrefix(rule, rulePath("")), want.members(rule), have.members(rule)))
		}
	}
	return rest
}

// members are the addresses of a rule's members.
func (l Leaves) members(rule string) (ips []string) {
	for path := range l {
		if ip, is := strings.CutPrefix(path, memberPath(rule, "")); is && !strings.Contains(ip, "/") {
			ips = append(ips, ip)
		}
	}
	return ips
}

// judged says whether a field that nobody expects is one: those that a release yet to come adds to the frame of its
// commands are not.
func judged(path string) bool {
	return strings.HasPrefix(path, rulePath("")) || slices.Contains(sometimes(), path)
}

// sometimes are the fields of a command that are left out where they say nothing.
func sometimes() []string {
	return []string{"vpcId", "nic.gateway", "nic.networkId", "nic.networkSegmentName"}
}

// frame leaves the rules out.
func (l Leaves) frame() Leaves {
	rest := maps.Clone(l)
	maps.DeleteFunc(rest, func(path, _ string) bool { return strings.HasPrefix(path, rulePath("")) })
	return rest
}
