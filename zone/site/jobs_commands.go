package site

import (
	"slices"

	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// jobAnswer is the job as queryAsyncJobResult and listAsyncJobs show it.
func jobAnswer(j *kernel.Job) obj {
	caller := j.Caller.(*tenancy.User)
	a := caller.Account
	out := obj{
		"accountid": a.UUID, "account": a.Name, "domainid": a.Domain.UUID, "domainpath": a.Domain.Shown(),
		"userid": caller.UUID,
		"cmd":    j.Cmd.Class, "jobstatus": j.Status, "jobprocstatus": 0, "jobresultcode": j.Code,
		"created": kernel.Stamp(j.Created), "jobid": j.UUID,
	}
	if j.Cmd.Instance != "" {
		out["jobinstancetype"] = j.Cmd.Instance
		if j.Instance != "" && slices.Contains(jobInstancesShown, j.Cmd.Instance) {
			out["jobinstanceid"] = j.Instance
		}
	}
	if j.Status != 0 {
		out["jobresulttype"] = "object"
		out["jobresult"] = j.Result
		out["completed"] = kernel.Stamp(j.Completed)
	}
	return out
}

// jobInstancesShown are the instance types whose id queryAsyncJobResult knows how to resolve; Network, Vpc, Domain and
// None are not among them (server/src/main/java/com/cloud/api/ApiResponseHelper.java@4.20.0.0).
var jobInstancesShown = []string{
	"VirtualMachine", "IpAddress", "FirewallRule", "DomainRouter", "Account", "Condition", "AutoScalePolicy",
	"AutoScaleVmProfile",
	"AutoScaleVmGroup", "Volume", "User", "Snapshot", "Template", "Host",
}

func jobCommands() []command {
	return []command{
		{
			Name: "queryAsyncJobResult", About: "Retrieves the current status of asynchronous job.",
			Params: []param{
				{Name: "jobid", Type: "uuid:job", Required: true, About: "the ID of the asynchronous job"},
			},
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				j := mgr.JobByUUID(c.Str("jobid"))
				if j == nil {
					return nil, c.BadEntity("jobid", c.Str("jobid"))
				}
				if !c.Caller.Privileged() && j.Caller.Owner() != c.Caller.Owner() {
					return nil, tenancy.Permission("Account %s does not have permission to operate with job %s",
						tenancy.Caller(c).Account.UUID, j.UUID)
				}
				return jobAnswer(j), nil
			},
		},
		{
			Name: "listAsyncJobs", About: "Lists all pending asynchronous jobs for the account.",
			Params: kernel.ListParams(param{Name: "startdate", Type: "date", About: "the start date of the async job"}),
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				var out []obj
				for _, j := range mgr.AllJobs() {
					if j.Status == 0 && tenancy.Visible(mgr.tenancy, c, j.Caller.(*tenancy.User).Account) {
						out = append(out, jobAnswer(j))
					}
				}
				return c.Page("asyncjobs", out), nil
			},
		},
	}
}
