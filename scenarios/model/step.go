package model

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Version is that of the replay format; it is in the first line of every file.
const Version = 1

const header = "stackproof-replay"

// Verbs of steps.
const (
	Create  = "create"  // an object for a customer, LB, PF and firewall rules on an address
	Assign  = "assign"  // the customer's two VMs behind an LB rule
	Empty   = "empty"   // and away from it
	Stick   = "stick"   // a source policy of the named kind, replacing a former one
	Unstick = "unstick" // no policy
	Disable = "disable" // the rule's autoscale group
	Enable  = "enable"
	Ungroup = "ungroup" // the rule's autoscale group is deleted with its members
	Delete  = "delete"  // the rule
	Rename  = "rename"  // the rule, by an update
	Balance = "balance" // the rule by another algorithm, by an update
	Wrap    = "wrap"    // the rule in another protocol and algorithm, by one update
	Certify = "certify" // a certificate for the rule, which its protocol refuses
	Grow    = "grow"    // the rule's autoscale group, which is disabled, to three members
	Restart = "restart" // the customer's VPC or network, with new routers
	Halt    = "halt"    // the customer's first VM
	Start   = "start"   // it again
	Join    = "join"    // it to a second network
	Leave   = "leave"   // that again
	Release = "release" // an address with all its rules
	Pass    = "pass"    // time
	Usage   = "usage"   // a usage run
	Look    = "look"    // routers, closely
)

// Kinds of objects, which begin their names.
const (
	lb       = "lb"
	group    = "group" // an LB rule with an autoscale group, on the customer's shared address
	pf       = "pf"
	firewall = "fw"
	address  = "ip"
)

// customers are the accounts. The first two have a VPC with a tier each, the last an isolated network: firewall rules
// on addresses exist only there.
func customers() []string { return []string{"anna", "bert", "carl"} }

// isolated is the customer without a VPC.
const isolated = "carl"

// Step is one action.
type Step struct {
	Verb, Object   string
	Owner, Address string // of create
	Word           string // policy of stick, duration of pass, algorithm of balance, protocol of create and wrap
	// Refused has the router refuse the push that the action sends.
	Refused bool
}

const refused = ", push refused"

func (s Step) String() string {
	words := []string{s.Verb}
	for _, w := range []string{s.Object, s.Word} {
		if w != "" {
			words = append(words, w)
		}
	}
	text := strings.Join(words, " ")
	if s.Owner != "" {
		text += " for " + s.Owner
	}
	if s.Address != "" {
		text += " on " + s.Address
	}
	if s.Refused {
		text += refused
	}
	return text
}

func kindOf(object string) string { return strings.TrimRight(object, "0123456789") }

// forms are what the steps look like; groups: object, word, owner, address.
func forms() map[string]*regexp.Regexp {
	owner := "(?P<owner>" + strings.Join(customers(), "|") + ")"
	customer := regexp.MustCompile("^(?P<object>" + strings.Join(customers(), "|") + ")$")
	rule := `(?P<object>(?:lb|group)\d+)`
	return map[string]*regexp.Regexp{
		Create: regexp.MustCompile(`^(?P<object>(?:lb|pf|fw|group)\d+)(?: (?P<word>` + proxied + `))? for ` + owner +
			`(?: on (?P<address>ip\d+))?$`),
		Assign:  regexp.MustCompile("^" + rule + "$"),
		Empty:   regexp.MustCompile("^" + rule + "$"),
		Stick:   regexp.MustCompile("^" + rule + ` (?P<word>` + strings.Join(policies(), "|") + `)$`),
		Unstick: regexp.MustCompile("^" + rule + "$"),
		Disable: regexp.MustCompile("^" + rule + "$"),
		Enable:  regexp.MustCompile("^" + rule + "$"),
		Ungroup: regexp.MustCompile("^" + rule + "$"),
		Delete:  regexp.MustCompile(`^(?P<object>(?:lb|pf|fw|group)\d+)$`),
		Rename:  regexp.MustCompile("^" + rule + "$"),
		Balance: regexp.MustCompile("^" + rule + ` (?P<word>` + strings.Join(algorithms(), "|") + `)$`),
		Wrap:    regexp.MustCompile(`^(?P<object>lb\d+) (?P<word>` + strings.Join(protocols(), "|") + `)$`),
		Certify: regexp.MustCompile("^" + rule + "$"),
		Grow:    regexp.MustCompile("^" + rule + "$"),
		Restart: customer, Halt: customer, Start: customer, Join: customer, Leave: customer,
		Release: regexp.MustCompile(`^(?P<object>ip\d+)$`),
		Pass:    regexp.MustCompile(`^(?P<word>\d+s)$`),
		Usage:   regexp.MustCompile(`^$`),
		Look:    regexp.MustCompile(`^$`),
	}
}

func parseStep(all map[string]*regexp.Regexp, text string) (Step, error) {
	var s Step
	rest, isRefused := strings.CutSuffix(text, refused)
	verb, rest, _ := strings.Cut(rest, " ")
	form, ok := all[verb]
	if !ok {
		return s, fmt.Errorf("%q is no step; steps begin with %s", text, strings.Join(slices.Sorted(maps.Keys(all)),
			", "))
	}
	m := form.FindStringSubmatch(rest)
	if m == nil {
		return s, fmt.Errorf("%q is not a step: after %q must come %s", text, verb, form)
	}
	s.Verb, s.Refused = verb, isRefused
	for i, name := range form.SubexpNames() {
		switch name {
		case "object":
			s.Object = m[i]
		case "owner":
			s.Owner = m[i]
		case "address":
			s.Address = m[i]
		case "word":
			s.Word = m[i]
		}
	}
	if s.Verb == Create && s.Word != "" && kindOf(s.Object) != lb {
		return s, fmt.Errorf("%q: only LB rules have a protocol", text)
	}
	if s.Verb == Create && (s.Address == "") != (kindOf(s.Object) == group) {
		return s, fmt.Errorf("%q: rules are created on an address, groups on none", text)
	}
	return s, nil
}

// Write writes steps as a replay file; remarks, which may have several lines, come before them as comments.
func Write(w io.Writer, remarks string, steps []Step) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d\n", header, Version)
	for line := range strings.Lines(remarks) {
		fmt.Fprintf(&b, "# %s\n", strings.TrimSpace(line))
	}
	for _, s := range steps {
		fmt.Fprintln(&b, s)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Read reads a replay file. An error names the line.
func Read(r io.Reader) ([]Step, error) {
	lines := bufio.NewScanner(r)
	var steps []Step
	var m state
	all := forms()
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if n == 1 {
			if err := checkHeader(line); err != nil {
				return nil, err
			}
			continue
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		s, err := parseStep(all, line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if why := m.cannot(s); why != "" {
			return nil, fmt.Errorf("line %d: %q cannot come here: %s", n, line, why)
		}
		m.done(s)
		steps = append(steps, s)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading a replay file: %w", err)
	}
	if len(steps) == 0 {
		return nil, errors.New("no steps in it")
	}
	return steps, nil
}

func checkHeader(line string) error {
	word, number, _ := strings.Cut(line, " ")
	if word != header {
		return fmt.Errorf("not a replay file: it must begin with %q", fmt.Sprint(header, " ", Version))
	}
	if v, err := strconv.Atoi(number); err != nil || v != Version {
		return fmt.Errorf("a replay file of version %q; this program reads version %d", number, Version)
	}
	return nil
}
