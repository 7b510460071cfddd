package cloud

import (
	"context"
	"errors"
	"maps"
)

// Settings are the calls about what a site offers: its release, configuration, offerings, templates and events.
type Settings struct{ *caller }

// UpdateConfiguration sets a global setting.
func (c Settings) UpdateConfiguration(ctx context.Context, name, value string) (*Configuration, error) {
	var conf Configuration
	if err := c.object(ctx, "updateConfiguration", Params{"name": name, "value": value}, &conf); err != nil {
		return nil, err
	}
	return &conf, nil
}

// Setting reads a global setting; found is false where the server does not list it.
func (c Settings) Setting(ctx context.Context, name string) (value string, found bool, err error) {
	all, err := c.ListConfigurations(ctx, Params{"name": name})
	for _, one := range all {
		if one.Name == name {
			return one.Value, true, nil
		}
	}
	return "", false, err
}

// ReleaseUnknown says that the API does not tell its release.
type ReleaseUnknown struct{ Err error }

func (e *ReleaseUnknown) Error() string {
	return "the release is not known from the API (" + e.Err.Error() +
		"): name it with --release, or give a database account so that the version table can be read"
}

func (e *ReleaseUnknown) Unwrap() error { return e.Err }

// Release is the management server's release, for instance 4.20.1.0, as listCapabilities gives it. On some builds that
// call answers 431 (4.20.0.0 without a packaged version): then, or when there is no version in it, the error is
// *ReleaseUnknown. Errors of transport and of authentication are returned as they are.
func (c Settings) Release(ctx context.Context) (string, error) {
	var r struct {
		Capability struct {
			Version string `json:"cloudstackversion"`
		} `json:"capability"`
	}
	err := c.Call(ctx, "listCapabilities", nil, &r)
	switch {
	case err == nil && r.Capability.Version != "":
		return r.Capability.Version, nil
	case err == nil:
		return "", &ReleaseUnknown{Err: errors.New("listCapabilities: the answer names no version")}
	case IsRefused(err) && !IsUnauthorized(err) && Code(err) != CodeAccount:
		return "", &ReleaseUnknown{Err: err}
	}
	return "", err
}

// Lists take filters by the command's own parameter names; nil lists all. Owned objects are listed for all accounts
// that the caller may see, unless the filter says listall itself.

// ListZones calls listZones.
func (c Settings) ListZones(ctx context.Context, filter Params) ([]*Zone, error) {
	return list[Zone](ctx, c.caller, "listZones", "zone", filter)
}

// ListVPCOfferings calls listVPCOfferings.
func (c Settings) ListVPCOfferings(ctx context.Context, filter Params) ([]*VPCOffering, error) {
	return list[VPCOffering](ctx, c.caller, "listVPCOfferings", "vpcoffering", filter)
}

// ListNetworkOfferings calls listNetworkOfferings.
func (c Settings) ListNetworkOfferings(ctx context.Context, filter Params) ([]*NetworkOffering, error) {
	return list[NetworkOffering](ctx, c.caller, "listNetworkOfferings", "networkoffering", filter)
}

// ListServiceOfferings calls listServiceOfferings. The integration port is refused unless it names an account
// (confirmed.md 44), so it asks for a root administrator's.
func (c Settings) ListServiceOfferings(ctx context.Context, filter Params) ([]*ServiceOffering, error) {
	if c.opts.Integration && filter["account"] == nil {
		admins, err := Accounts(c).ListAccounts(ctx, Params{"accounttype": 1})
		if err != nil {
			return nil, err
		}
		if len(admins) == 0 {
			return nil, errors.New("listServiceOfferings: the integration port shows no root administrator to list for")
		}
		filter = maps.Clone(filter)
		if filter == nil {
			filter = Params{}
		}
		filter["account"], filter["domainid"] = admins[0].Name, admins[0].Domainid
	}
	return list[ServiceOffering](ctx, c.caller, "listServiceOfferings", "serviceoffering", filter)
}

// ListConfigurations calls listConfigurations.
func (c Settings) ListConfigurations(ctx context.Context, filter Params) ([]*Configuration, error) {
	return list[Configuration](ctx, c.caller, "listConfigurations", "configuration", filter)
}

// ListEvents calls listEvents.
func (c Settings) ListEvents(ctx context.Context, filter Params) ([]*Event, error) {
	return list[Event](ctx, c.caller, "listEvents", "event", everywhere(filter))
}

// ListTemplates calls listTemplates; which is featured, self, executable, all (administrators only) ...
func (c Settings) ListTemplates(ctx context.Context, which string, filter Params) ([]*Template, error) {
	s := c.Library(ctx, filter).Template
	r, err := s.ListTemplates(s.NewListTemplatesParams(which))
	if err != nil {
		return nil, plain(err)
	}
	return listed("listTemplates", r.Count, r.Templates)
}
