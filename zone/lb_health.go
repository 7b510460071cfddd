package zone

import "github.com/stackproof/stackproof/zone/api"

// lbHealthCommands are the health check policies, which the virtual router does not have: none can be created, and a
// rule's list is empty (facts: cloudstack.md 2.5).
func lbHealthCommands() []command {
	return []command{
		{
			name: "createLBHealthCheckPolicy", about: "Creates a load balancer health check policy", class: lbClasses + "CreateLBHealthCheckPolicyCmd",
			kind: asyncCreate, instance: "None", event: "LB.HEALTHCHECKPOLICY.CREATE", eventful: eventCreateAsync,
			creating: "create load balancer health check to load balancer", action: "Apply HealthCheckPolicy to load balancer ",
			params: []param{
				{"lbruleid", "uuid:lbrule", true, "the ID of the load balancer rule"}, {"description", "string", false, "the description of the load balancer health check policy"},
				{"pingpath", "string", false, "HTTP ping path"}, {"responsetimeout", "integer", false, "Time to wait when receiving a response from the health check (2sec - 60 sec)"},
				{"intervaltime", "integer", false, "Amount of time between health checks (1 sec - 20940 sec)"},
				{"healthythreshold", "integer", false, "Number of consecutive health check success before declaring an instance healthy"},
				{"unhealthythreshold", "integer", false, "Number of consecutive health check failures before declaring an instance unhealthy"},
			},
			create: func(z *Zone, c *call) (created, error) {
				r, err := lbRuleParam(z, c, "lbruleid")
				if err != nil {
					return created{}, err
				}
				if err := mayUse(z, c, r.Account, "load balancer rule"); err != nil {
					return created{}, err
				}
				refusal := api.BadParameter("Failed to create HealthCheck policy: Validation Failed (HealthCheck Policy is not supported by LB Provider for the LB rule id :%d)", r.ID)
				refusal.Code = api.CodeMalformed
				return created{}, refusal
			},
			run: func(*Zone, *call) (obj, error) { return nil, api.Internal("Failed to create health check policy") },
		},
		{
			name: "listLBHealthCheckPolicies", about: "Lists load balancer health check policies.",
			params: listParams(param{"lbruleid", "uuid:lbrule", false, "the ID of the load balancer rule"}, param{"id", "string", false, "the ID of the health check policy"}),
			run: func(z *Zone, c *call) (obj, error) {
				r := z.lbRuleByUUID(c.str("lbruleid"))
				if r == nil {
					return nil, api.Invalid("Either load balancer rule ID or health check policy ID should be specified")
				}
				if err := mayUse(z, c, r.Account, "load balancer rule"); err != nil {
					return nil, err
				}
				one := obj{"lbruleid": r.UUID, "account": r.Account.Name, "domainid": r.Account.Domain.UUID, "domain": r.Account.Domain.Name, "healthcheckpolicy": []obj{}}
				return obj{"count": 1, "healthcheckpolicies": []obj{one}}, nil
			},
		},
	}
}
