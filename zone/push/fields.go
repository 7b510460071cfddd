package push

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/kernel"
)

// fieldChanged applies the planted fault that changes one field of a command.
func (mgr *Manager) fieldChanged(text json.RawMessage) (json.RawMessage, error) {
	mgr.built++
	if !mgr.On(fault.PushFieldChanged) {
		return text, nil
	}
	field := fault.Value(fault.PushFieldChanged, mgr.On)
	if field == "" {
		all, err := FieldsOf(text)
		if err != nil {
			return nil, err
		}
		field = all[mgr.built%len(all)]
	}
	return ChangeField(text, field)
}

// FieldsOf are those of fault.PushFields that a command has.
func FieldsOf(text json.RawMessage) (fields []string, err error) {
	for _, name := range fault.PushFields() {
		changed, err := ChangeField(text, name)
		if err != nil {
			return nil, err
		}
		if string(changed) != string(text) {
			fields = append(fields, name)
		}
	}
	return fields, nil
}

// ChangeField gives a command in which the first value of a field is another one of the same kind; the command as it
// was where it has no such field.
func ChangeField(text json.RawMessage, field string) (json.RawMessage, error) {
	var wrapped map[string]map[string]any
	if err := json.Unmarshal(text, &wrapped); err != nil {
		return nil, fmt.Errorf("changing field %s of a command: %w", field, err)
	}
	if !change(wrapped[LoadBalancerCommand], field) {
		return text, nil
	}
	changed, err := json.Marshal(wrapped)
	if err != nil {
		return nil, fmt.Errorf("changing field %s of a command: %w", field, err)
	}
	return changed, nil
}

// change changes the first value on the way. Names of fields may hold dots themselves.
func change(fields map[string]any, way string) bool {
	if value, ok := fields[way].(string); ok {
		fields[way] = another(value)
		return true
	}
	for name, value := range fields {
		rest, on := strings.CutPrefix(way, name+".")
		if !on {
			continue
		}
		switch value := value.(type) {
		case map[string]any:
			return change(value, rest)
		case []any:
			return slices.ContainsFunc(value, func(one any) bool {
				inner, ok := one.(map[string]any)
				return ok && change(inner, rest)
			})
		}
	}
	return false
}

// another is a value of the same kind, so that whoever reads it does not stumble.
func another(value string) string {
	for _, pair := range [][2]string{{"true", "false"}, {"roundrobin", "leastconn"}, {"source", "roundrobin"},
		{"SourceBased", "LbCookie"}, {"tablesize", "expire"}, {"tcp", "udp"}} {
		switch value {
		case pair[0]:
			return pair[1]
		case pair[1]:
			return pair[0]
		}
	}
	if n, err := strconv.Atoi(value); err == nil {
		return strconv.Itoa(n + 1)
	}
	if ip, err := netip.ParseAddr(value); err == nil {
		return ip.Next().String()
	}
	if p, err := netip.ParsePrefix(value); err == nil {
		return netip.PrefixFrom(p.Addr(), p.Bits()-1).String()
	}
	if value != "" && value[0] >= '1' && value[0] <= '8' {
		return string(value[0]+1) + value[1:]
	}
	return value + "x"
}

// distortMembers applies the planted faults of what is revoked, and of the order of members.
func (mgr *Manager) distortMembers(cmd *ConfigCommand) {
	if mgr.On(fault.RevokedUntold) {
		cmd.LoadBalancers = slices.DeleteFunc(cmd.LoadBalancers, func(b BalancerTO) bool {
			return b.Revoked == kernel.BoolText(true)
		})
	}
	if mgr.On(fault.StrangerRevoked) && len(cmd.LoadBalancers) > 0 {
		stranger := cmd.LoadBalancers[0]
		stranger.UUID, stranger.SrcPort = "00000000-0000-4000-8000-000000000000", another(stranger.SrcPort)
		stranger.Revoked, stranger.Destinations = kernel.BoolText(true), nil
		cmd.LoadBalancers = append(cmd.LoadBalancers, stranger)
	}
	for i := range cmd.LoadBalancers {
		b := &cmd.LoadBalancers[i]
		if mgr.On(fault.RevokedUntold) {
			b.Destinations = slices.DeleteFunc(b.Destinations, func(d destinationTO) bool {
				return d.Revoked == kernel.BoolText(true)
			})
		}
		if mgr.On(fault.MemberOrderTurned) && mgr.built%2 == 0 {
			slices.Reverse(b.Destinations)
		}
	}
}
