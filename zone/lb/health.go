package lb

import (
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// noHealthPolicy refuses an id: no policy can be made here, so none has it.
func noHealthPolicy(_ *Manager, c *kernel.Call) error { return c.BadEntity("id", c.Str("id")) }

// lbHealthCommands are the health check policies, which the virtual router does not have: none can be created, changed
// or removed, and a rule's list is empty (facts: cloudstack.md 2.5).
func lbHealthCommands() []command {
	return []command{
		{
			Name: "createLBHealthCheckPolicy", About: "Creates a load balancer health check policy",
			Class: lbClasses + "CreateLBHealthCheckPolicyCmd",
			Kind:  kernel.AsyncCreate, Instance: "None", Event: "LB.HEALTHCHECKPOLICY.CREATE",
			Eventful: kernel.EventCreateAsync,
			Creating: "create load balancer health check to load balancer", Action: "Apply HealthCheckPolicy to " +
				"load balancer ",
			Params: []param{
				{Name: "lbruleid", Type: "uuid:lbrule", Required: true, About: "the ID of the load balancer rule"},
				{Name: "description", Type: "string", About: "the description of the load balancer health check " +
					"policy"},
				{Name: "pingpath", Type: "string", About: "HTTP ping path"},
				{Name: "responsetimeout", Type: "integer", About: "Time to wait when receiving a response from " +
					"the health check (2sec - 60 sec)"},
				{Name: "intervaltime", Type: "integer", About: "Amount of time between health checks (1 sec - " +
					"20940 sec)"},
				{Name: "healthythreshold", Type: "integer", About: "Number of consecutive health check success " +
					"before declaring an instance healthy"},
				{Name: "unhealthythreshold", Type: "integer", About: "Number of consecutive health check " +
					"failures before declaring an instance unhealthy"},
			},
			Create: func(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
				r, err := LBRuleParam(mgr, c, "lbruleid")
				if err != nil {
					return kernel.Created{}, err
				}
				if err := tenancy.MayUse(mgr.tenancy, c, r.Account, "load balancer rule"); err != nil {
					return kernel.Created{}, err
				}
				refusal := api.BadParameter("Failed to create HealthCheck policy: Validation Failed (HealthCheck "+
					"Policy is not supported by LB Provider for the LB rule%s)", mgr.colonRule(r))
				refusal.Code = api.CodeMalformed
				return kernel.Created{}, refusal
			},
			Run: func(*Manager, *kernel.Call) (obj, error) {
				return nil, api.Internal("Failed to create health check policy")
			},
		},
		{
			Name: "updateLBHealthCheckPolicy", About: "Updates load balancer health check policy",
			Class: lbClasses + "UpdateLBHealthCheckPolicyCmd",
			Kind:  kernel.AsyncCommand, Event: "LB.HEALTHCHECKPOLICY.UPDATE", Eventful: kernel.EventAsync,
			Params: []param{
				{Name: "id", Type: "uuid", Required: true, About: "ID of load balancer health check policy"},
				{Name: "fordisplay", Type: "boolean", About: "an optional field, whether to the display the " +
					"policy to the end user or not"},
				{Name: "customid", Type: "string", About: "an optional field, in case you want to set a custom " +
					"id to the resource. Allowed to Root Admins only"},
			},
			Check: noHealthPolicy,
		},
		{
			Name: "deleteLBHealthCheckPolicy", About: "Deletes a load balancer health check policy.",
			Class: lbClasses + "DeleteLBHealthCheckPolicyCmd",
			Kind:  kernel.AsyncCommand, Event: "LB.HEALTHCHECKPOLICY.DELETE", Eventful: kernel.EventAsync,
			Params: []param{
				{Name: "id", Type: "uuid", Required: true, About: "the ID of the load balancer health check policy"},
			},
			Check: noHealthPolicy,
		},
		{
			Name: "listLBHealthCheckPolicies", About: "Lists load balancer health check policies.",
			Params: kernel.ListParams(param{Name: "lbruleid", Type: "uuid:lbrule", About: "the ID of the load " +
				"balancer rule"},
				param{Name: "id", Type: "string", About: "the ID of the health check policy"}),
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				r := mgr.push.LBRuleByUUID(c.Str("lbruleid"))
				if r == nil {
					return nil, api.Invalid("Either load balancer rule ID or health check policy ID should be " +
						"specified")
				}
				if err := tenancy.MayUse(mgr.tenancy, c, r.Account, "load balancer rule"); err != nil {
					return nil, err
				}
				one := obj{"lbruleid": r.UUID, "account": r.Account.Name, "domainid": r.Account.Domain.UUID,
					"domain": r.Account.Domain.Name, "healthcheckpolicy": []obj{}}
				return obj{"count": 1, "healthcheckpolicies": []obj{one}}, nil
			},
		},
	}
}
