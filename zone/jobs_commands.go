package zone

import "slices"

// jobAnswer is the job as queryAsyncJobResult and listAsyncJobs show it.
func jobAnswer(j *job) obj {
	caller := j.caller.(*User)
	a := caller.Account
	out := obj{
		"accountid": a.UUID, "account": a.Name, "domainid": a.Domain.UUID, "domainpath": a.Domain.shown(), "userid": caller.UUID,
		"cmd": j.cmd.class, "jobstatus": j.status, "jobprocstatus": 0, "jobresultcode": j.code, "created": stamp(j.created), "jobid": j.uuid,
	}
	if j.cmd.instance != "" {
		out["jobinstancetype"] = j.cmd.instance
		if j.instance != "" && slices.Contains(jobInstancesShown, j.cmd.instance) {
			out["jobinstanceid"] = j.instance
		}
	}
	if j.status != 0 {
		out["jobresulttype"] = "object"
		out["jobresult"] = j.result
		out["completed"] = stamp(j.completed)
	}
	return out
}

// jobInstancesShown are the instance types whose id queryAsyncJobResult knows how to resolve; Network, Vpc, Domain and
// None are not among them (server/src/main/java/com/cloud/api/ApiResponseHelper.java@4.20.0.0).
var jobInstancesShown = []string{
	"VirtualMachine", "IpAddress", "FirewallRule", "DomainRouter", "Account", "Condition", "AutoScalePolicy", "AutoScaleVmProfile",
	"AutoScaleVmGroup", "Volume", "User", "Snapshot", "Template", "Host",
}

func (z *Zone) jobCommands() []command {
	return []command{
		{
			name: "queryAsyncJobResult", about: "Retrieves the current status of asynchronous job.",
			params: []param{{"jobid", "uuid:job", true, "the ID of the asynchronous job"}},
			run: func(z *Zone, c *call) (obj, error) {
				j := z.jobByUUID(c.str("jobid"))
				if j == nil {
					return nil, c.badEntity("jobid", c.str("jobid"))
				}
				if !c.caller.Privileged() && j.caller.Owner() != c.caller.Owner() {
					return nil, permission("Account %s does not have permission to operate with job %s", callerOf(c).Account.UUID, j.uuid)
				}
				return jobAnswer(j), nil
			},
		},
		{
			name: "listAsyncJobs", about: "Lists all pending asynchronous jobs for the account.",
			params: listParams(param{"startdate", "date", false, "the start date of the async job"}),
			run: func(z *Zone, c *call) (obj, error) {
				var out []obj
				all := make([]*job, 0, len(z.jobs))
				for _, j := range z.jobs {
					all = append(all, j)
				}
				slices.SortFunc(all, func(a, b *job) int { return int(a.id - b.id) })
				for _, j := range all {
					if j.status == 0 && visible(z, c, j.caller.(*User).Account) {
						out = append(out, jobAnswer(j))
					}
				}
				return c.page("asyncjobs", out), nil
			},
		},
	}
}
