package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"

	"github.com/apache/cloudstack-go/v2/cloudstack"
)

// Library is cloudstack-go with this client as its transport: its services send through us, under ctx, with our
// authentication, repeats, trace and typed errors (errors.AsType[*Error] works on what it returns). Lists come whole,
// all pages. It returns job ids and never polls. Parameters in extra are added to every call.
//
// Not for listLBStickinessPolicies and createLBStickinessPolicy: v2.19.0 decodes the first to nothing without an error
// and sends the second's parameters under a name that the server refuses (cloudstack-go#133).
func (c *caller) Library(ctx context.Context, extra Params) *cloudstack.CloudStackClient {
	hc := &http.Client{Transport: &transport{c: c, ctx: ctx, extra: extra}}
	// The address and keys are never used: the transport takes the call's parameters out of the request.
	return cloudstack.NewClient("http://cloudstack.invalid/client/api", "", "", true, cloudstack.WithHTTPClient(hc))
}

// transport carries cloudstack-go's requests out as calls of our client.
type transport struct {
	c     *caller
	ctx   context.Context // cloudstack-go knows no contexts
	extra Params
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	values := req.URL.Query()
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		_ = req.Body.Close()
		if err != nil {
			return nil, err
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, err
		}
		maps.Copy(values, form)
	}
	command := values.Get("command")
	params := Params{}
	for name := range values {
		switch name {
		case "apiKey", "command", "response", "signatureversion", "expires", "signature":
		default:
			params[name] = values.Get(name)
		}
	}
	maps.Copy(params, t.extra)
	inner, err := t.c.whole(t.ctx, command, params)
	if err != nil {
		return nil, err
	}
	// cloudstack-go takes the first key of the root, whichever that is: give it exactly one.
	body := append(append([]byte(`{"root":`), inner...), '}')
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)), Request: req,
	}, nil
}

// whole makes a call and, where the answer is a list that the server cut to its page size, gets the other pages. The
// server cuts every list at default.page.size (500) even when no paging was asked for.
func (c *caller) whole(ctx context.Context, command string, params Params) (json.RawMessage, error) {
	inner, err := c.raw(ctx, command, params, c.opts.Retries)
	if err != nil || params["page"] != nil {
		return inner, err
	}
	key, first, count := listOf(inner)
	if key == "" || len(first) == 0 || len(first) >= count {
		return inner, nil
	}
	all := first
	for page := 2; len(all) < count; page++ {
		p := Params{}
		maps.Copy(p, params)
		p["page"], p["pagesize"] = page, len(first)
		next, err := c.raw(ctx, command, p, c.opts.Retries)
		if err != nil {
			return nil, fmt.Errorf("page %d: %w", page, err)
		}
		nextKey, more, _ := listOf(next)
		if len(more) == 0 || nextKey != key {
			break // objects vanished meanwhile
		}
		all = append(all, more...)
	}
	return json.Marshal(map[string]any{"count": len(all), key: all})
}

// listOf finds the one array of a list answer, and its count. No key: it is no such answer.
func listOf(inner json.RawMessage) (string, []json.RawMessage, int) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(inner, &fields) != nil {
		return "", nil, 0
	}
	var count int
	if json.Unmarshal(fields["count"], &count) != nil || len(fields) != 2 {
		return "", nil, 0
	}
	for key, v := range fields {
		var list []json.RawMessage
		if key != "count" && json.Unmarshal(v, &list) == nil {
			return key, list, count
		}
	}
	return "", nil, 0
}

// list calls a list command and decodes what stands under its key.
func list[T any](ctx context.Context, c *caller, command, key string, filter Params) ([]*T, error) {
	inner, err := c.whole(ctx, command, filter)
	if err != nil {
		return nil, err
	}
	var answer map[string]json.RawMessage
	if err := decode(command, inner, &answer); err != nil {
		return nil, err
	}
	var count int
	var all []*T
	for name, into := range map[string]any{"count": &count, key: &all} {
		if answer[name] == nil {
			continue
		}
		if err := decode(command, answer[name], into); err != nil {
			return nil, err
		}
	}
	return listed(command, count, all)
}

// listed checks what was decoded. A count without entries means that it was looked for under another key than
// the server used: an error, because an assertion on an empty list would pass.
func listed[T any](command string, count int, list []T) ([]T, error) {
	if count > 0 && len(list) == 0 {
		return nil, fmt.Errorf("%s: the server counts %d entries and none was decoded", command, count)
	}
	return list, nil
}

// everywhere adds listall=true: without it an administrator sees its own account's objects only.
func everywhere(filter Params) Params {
	if _, ok := filter["listall"]; ok {
		return filter
	}
	p := maps.Clone(filter)
	if p == nil {
		p = Params{}
	}
	p["listall"] = true
	return p
}

// Objects as cloudstack-go decodes them; TestRecordedLists holds each against the recorded answers.
type (
	Zone               = cloudstack.Zone
	VPCOffering        = cloudstack.VPCOffering
	NetworkOffering    = cloudstack.NetworkOffering
	ServiceOffering    = cloudstack.ServiceOffering
	Domain             = cloudstack.Domain
	Account            = cloudstack.Account
	User               = cloudstack.User
	Project            = cloudstack.Project
	ResourceLimit      = cloudstack.ResourceLimit
	VPC                = cloudstack.VPC
	Network            = cloudstack.Network
	PublicIPAddress    = cloudstack.PublicIpAddress
	VirtualMachine     = cloudstack.VirtualMachine
	LoadBalancerRule   = cloudstack.LoadBalancerRule
	PortForwardingRule = cloudstack.PortForwardingRule
	FirewallRule       = cloudstack.FirewallRule
	Counter            = cloudstack.Counter
	Condition          = cloudstack.Condition
	AutoScalePolicy    = cloudstack.AutoScalePolicy
	AutoScaleVMProfile = cloudstack.AutoScaleVmProfile
	AutoScaleVMGroup   = cloudstack.AutoScaleVmGroup
	Configuration      = cloudstack.Configuration
	Event              = cloudstack.Event
	Router             = cloudstack.Router
	Template           = cloudstack.Template
)

// All calls any list command and returns the entries of all its pages as they were answered, for callers that treat
// objects of many kinds alike.
func (c *caller) All(ctx context.Context, command string, filter Params) ([]json.RawMessage, error) {
	inner, err := c.whole(ctx, command, everywhere(filter))
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := decode(command, inner, &fields); err != nil {
		return nil, err
	}
	if len(fields) == 0 {
		return nil, nil
	}
	key, list, count := listOf(inner)
	if key == "" && count == 0 && len(fields) == 1 && fields["count"] != nil {
		return nil, nil
	}
	if key == "" {
		return nil, fmt.Errorf("%s: %w", command, unexpected(command, "a list", inner))
	}
	return list, nil
}
