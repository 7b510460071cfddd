package zone

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/zone/tenancy"
)

// What is made in a project belongs to it, is listed with it alone, and keeps it and its administrator from going.
func TestProject(t *testing.T) {
	b := newBench(t, "4.20.1.0")
	project := id(b.job("createProject", "name=team"), "project")
	assert.Contains(t, b.refused("createProject", "name=team").Text, "Project with name team already exists")
	got := b.one("listProjects", "project")
	assert.Equal(t, "team", got["displaytext"])
	assert.Equal(t, "Active", got["state"])
	assert.Equal(t, []any{obj{"account": "admin"}}, got["owner"])
	accounts := b.call("listAccounts", "listall=true")["account"].([]any)
	for _, a := range accounts {
		assert.NotEqual(t, got["projectaccountname"], a.(obj)["name"], "a project's account is nobody's to see")
	}

	offering := "vpcofferingid=" + b.offering("listVPCOfferings", "vpcoffering", "Default VPC offering")
	vpc := id(b.job("createVPC", "zoneid="+b.z.net.Site.UUID, "name=v", "displaytext=v", "cidr=10.0.0.0/16",
		"projectid="+project, offering), "vpc")
	listed := b.one("listVPCs", "vpc", "projectid="+project)
	assert.Equal(t, []any{"team", project, nil}, []any{listed["project"], listed["projectid"], listed["account"]})
	assert.Empty(t, b.call("listVPCs", "listall=true"), "without a project its objects are not listed")
	assert.Len(t, b.call("listVPCs", "id="+vpc)["vpc"], 1, "by its id it is found")
	assert.Len(t, b.call("listVPCs", "projectid=-1")["vpc"], 1)
	tier := b.tier(vpc, 1)
	rule := b.rule(b.address(vpc), tier, "r", 80)
	assert.Equal(t, project, b.one("listLoadBalancerRules", "loadbalancerrule", "id="+rule)["projectid"])
	assert.Equal(t, 1, b.count("SELECT COUNT(*) FROM cloud.usage_event e JOIN cloud.account a ON "+
		"a.id = e.account_id WHERE e.type = 'LB.CREATE' AND a.type = 5 AND a.account_name = 'PrjAcct-team-1'"))

	assert.Equal(t, 431, b.refused("listVPCs", "projectid=00000000-0000-0000-0000-000000000000").Code)
	assert.Contains(t, b.refused("createVPC", "zoneid="+b.z.net.Site.UUID, "name=w", "displaytext=w",
		"cidr=10.1.0.0/16", "projectid="+project, "account=admin",
		"domainid="+b.z.tenancy.Domains.All()[0].UUID, offering).Text, "together")
	assert.Contains(t, b.broken("deleteProject", "id="+project), "1 Network to clean up")
	b.job("deleteProject", "id="+project, "cleanup=true")
	assert.Empty(t, b.call("listProjects", "listall=true"))
	assert.Empty(t, b.call("listLoadBalancerRules", "projectid=-1"))
	assert.Equal(t, 1, b.count("SELECT COUNT(*) FROM cloud.account WHERE type = 5 AND removed IS NOT NULL"))
}

// An account that administers a project cannot be removed; its domain can, with both.
func TestProjectOfAnAccount(t *testing.T) {
	b := newBench(t, "4.20.1.0")
	domain := id(b.call("createDomain", "name=d"), "domain")
	account := id(b.call("createAccount", "account=a", "username=a", "password=p", "email=e", "firstname=f",
		"lastname=l", "accounttype=0", "domainid="+domain), "account")
	b.job("createProject", "name=team", "account=a", "domainid="+domain)
	assert.Contains(t, b.broken("deleteAccount", "id="+account), "manages project(s)")
	b.job("deleteDomain", "id="+domain, "cleanup=true")
	require.Len(t, b.z.tenancy.Projects, 1)
	assert.False(t, b.z.tenancy.Projects[0].Removed.IsZero())
	for _, a := range b.z.tenancy.Accounts.All() {
		if a.Name == "a" || a.Type == tenancy.ProjectAccount {
			assert.False(t, a.Removed.IsZero(), a.Name)
		}
	}
}
