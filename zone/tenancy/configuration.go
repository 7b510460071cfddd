package tenancy

import (
	"context"
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
)

// Setting is a row of cloud.configuration. Most are listed and stored only: like a real server, the zone reads what it
// needs at its start.
type Setting struct {
	Name, Value, Default, Category, About, Type string
}

// settings are those that usage, load balancing and autoscale have, with the values of a simulator zone whose usage is
// cut in windows of a minute.
func settings() []*Setting {
	return []*Setting{
		{"account.cleanup.interval", "20", "86400", "Advanced", "The interval (in seconds) between cleanup for " +
			"removed accounts", "Number"},
		{"autoscale.stats.cleanup.delay", "7200", "7200", "Advanced", "Determines how long (in seconds) to wait " +
			"before actually removing auto scaling statistics from database. The default value is 7200 (2 hours).",
			"Number"},
		{"autoscale.stats.interval", "60", "60", "Advanced", "The interval (in seconds) when VM auto scaling " +
			"statistics are processed to determine and perform scale action. Less than 1 means disabled.", "Number"},
		{"autoscale.stats.worker", "10", "10", "Advanced", "The Number of worker threads to scan the autoscale " +
			"vm groups.", "Number"},
		{"default.page.size", "500", "500", "Advanced", "Default page size for API list* commands", "Number"},
		{"enable.usage.server", "true", "true", "Usage", "Flag for enabling usage", "Boolean"},
		{endpointURL, "", "http://localhost:8080/client/api", "Advanced", "Endpoint Url", "String"},
		{"expunge.delay", "20", "86400", "Advanced", "Determines how long (in seconds) to wait before actually " +
			"expunging destroyed vm. The default value = the default value of expunge.interval", "Number"},
		{"expunge.interval", "20", "86400", "Advanced", "The interval (in seconds) to wait before running the " +
			"expunge thread.", "Number"},
		{"integration.api.port", "8096", "0", "Advanced", "Integration (unauthenticated) API port. To disable " +
			"set it to 0 or negative.", "Number"},
		{"network.loadbalancer.haproxy.max.conn", "4096", "4096", "Network", "Load Balancer(haproxy) maximum " +
			"number of concurrent connections(global max)", "Number"},
		{"network.loadbalancer.haproxy.stats.auth", "admin1:AdMiN123", "admin1:AdMiN123", "Secure",
			"Load Balancer(haproxy) authentication string in the format username:password", "String"},
		{"network.loadbalancer.haproxy.stats.port", "8081", "8081", "Network", "Load Balancer(haproxy) stats " +
			"port number.", "String"},
		{"network.loadbalancer.haproxy.stats.uri", "/admin?stats", "/admin?stats", "Network", "Load " +
			"Balancer(haproxy) uri.", "String"},
		{"network.loadbalancer.haproxy.stats.visibility", "global", "global", "Network", "Load Balancer(haproxy) " +
			"stats visibility, the value can be one of the following six parameters : " +
			"global,guest-network,link-local,disabled,all,default", "String"},
		{"quota.enable.service", "false", "false", "Quota", "Indicates whether Quota plugin is enabled or not.",
			"Boolean"},
		{"usage.aggregation.timezone", "GMT", "GMT", "Usage", "The timezone to use for usage stats aggregation",
			"String"},
		{"usage.execution.timezone", "GMT", "", "Usage", "The timezone to use for usage job execution time", "String"},
		{"usage.sanity.check.interval", "", "", "Usage", "Interval (in days) to check sanity of usage data. To " +
			"disable set it to 0 or negative.", "Number"},
		{"usage.snapshot.virtualsize.select", "false", "false", "Usage", "Set the value to true if snapshot " +
			"usage need to consider virtual size, else physical size is considered ", "Boolean"},
		{"usage.stats.job.aggregation.range", "1", "1440", "Usage", "The range of time for aggregating the user " +
			"statistics specified in minutes (e.g. 1440 for daily, 60 for hourly.", "Number"},
		{"usage.stats.job.exec.time", "00:15", "00:15", "Usage", "The time at which the usage statistics " +
			"aggregation job will run as an HH24:MM time, e.g. 00:30 to run at 12:30am.", "String"},
	}
}

// endpointURL is where the server believes to be reached.
const endpointURL = "endpoint.url"

// TellEndpoint sets endpoint.url, which is known once the API listens.
func (mgr *Manager) TellEndpoint(ctx context.Context, url string) error {
	s, _ := kernel.Find(mgr.Config, endpointURL, func(s *Setting) string { return s.Name })
	s.Value = url
	if _, err := mgr.DB().ExecContext(ctx, "UPDATE cloud.configuration SET value=? WHERE name=?", s.Value,
		s.Name); err != nil {
		return fmt.Errorf("setting %s: %w", s.Name, err)
	}
	return nil
}

// IdleTimeout is the setting of the timeouts that routers write, in milliseconds; from 4.22.1 on.
const IdleTimeout = "network.loadbalancer.haproxy.idle.timeout"

// Setting is the value of a setting, "" where there is none of that name.
func (mgr *Manager) Setting(name string) string {
	s, ok := kernel.Find(mgr.Config, name, func(s *Setting) string { return s.Name })
	if !ok {
		return ""
	}
	return s.Value
}

// PristineConfiguration makes the settings as a server has them that starts; values are those that differ.
func (mgr *Manager) PristineConfiguration(ctx context.Context, values map[string]string) error {
	mgr.Config = append(settings(), limitSettings()...)
	if mgr.On(release.IdleTimeout) {
		mgr.Config = append(
			mgr.Config,
			&Setting{IdleTimeout, "50000", "50000", "Network", "Load Balancer(haproxy) idle " +
				"timeout in milliseconds. Use 0 for infinite.", "Number"},
		)
	}
	for name, value := range values {
		s, known := kernel.Find(mgr.Config, name, func(s *Setting) string { return s.Name })
		if !known {
			return fmt.Errorf("there is no setting %s", name)
		}
		s.Value = value
	}
	mgr.defaultLimits = mgr.readLimits()
	for _, s := range mgr.Config {
		if _, err := mgr.Insert(ctx, "cloud.configuration", obj{
			"category": s.Category, "instance": "DEFAULT", "component": "management-server", "name": s.Name,
			"value":       OrNull(s.Value),
			"description": s.About, "default_value": OrNull(s.Default), "is_dynamic": 0,
		}); err != nil {
			return err
		}
	}
	return nil
}

// OrNull is the column value of a text: NULL for an empty one.
func OrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func configurationCommands() []command {
	return []command{
		{
			Name: "listConfigurations", About: "Lists all configurations.", Admin: true,
			Params: kernel.ListParams(param{Name: "name", Type: "string", About: "lists configuration by name"},
				param{Name: "category", Type: "string", About: "lists configurations by category"},
				param{Name: "zoneid", Type: "uuid:zone", About: "the ID of the Zone to update the parameter " +
					"value for corresponding zone"}),
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				var out []obj
				for _, s := range mgr.Config {
					if (!c.Has("name") || c.Str("name") == s.Name) && (!c.Has("category") ||
						strings.EqualFold(c.Str("category"), s.Category)) && kernel.Matches(c.Str("keyword"), s.Name) {
						out = append(out, s.answer())
					}
				}
				return c.Page("configuration", out), nil
			},
		},
		{
			Name: "updateConfiguration", About: "Updates a configuration.", Admin: true,
			Event: "CONFIGURATION.VALUE.EDIT", Eventful: kernel.EventSync, Action: "updating configuration",
			Params: []param{{Name: "name", Type: "string", Required: true, About: "the name of the configuration"},
				{Name: "value", Type: "string", About: "the value of the configuration"},
				{Name: "zoneid", Type: "uuid:zone", About: "the ID of the Zone"},
				{Name: "accountid", Type: "uuid:account", About: "the ID of the Account"},
				{Name: "domainid", Type: "uuid:domain", About: "the ID of Domain"}},
			Run: updateConfiguration,
			Detail: func(mgr *Manager, c *kernel.Call) string {
				return " Name: " + c.Str("name") + " New Value: " + c.Str("value")
			},
		},
	}
}

func (s *Setting) answer() obj {
	display := strings.ReplaceAll(s.Name, ".", " ")
	out := obj{
		"category": s.Category, "group": "Management Server", "subgroup": s.Category, "name": s.Name,
		"description": s.About, "isdynamic": false,
		"component": "management-server", "displaytext": kernel.Capitalize(display), "type": s.Type,
	}
	if s.Value != "" {
		out["value"] = s.Value
	}
	if s.Default != "" {
		out["defaultvalue"] = s.Default
	}
	return out
}

func updateConfiguration(mgr *Manager, c *kernel.Call) (obj, error) {
	s, ok := kernel.Find(mgr.Config, c.Str("name"), func(s *Setting) string { return s.Name })
	if !ok {
		return nil, api.Invalid("Config parameter with name %s doesn't exist", c.Str("name"))
	}
	if s.Type == "Number" && c.Str("value") != "" && c.Integer("value", -1<<31) == -1<<31 {
		return nil, api.Invalid("There was an error trying to parse the integer value for configuration "+
			"parameter [%s].", s.Name)
	}
	s.Value = c.Str("value")
	c.EventResourceType = "Configuration"
	_, err := mgr.DB().ExecContext(kernel.DBContext(c.Ctx), "UPDATE cloud.configuration SET value=? WHERE name=?",
		OrNull(s.Value), s.Name)
	return obj{"configuration": s.answer()}, err
}
