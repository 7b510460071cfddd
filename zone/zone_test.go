package zone

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/zone/autoscale"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// usageTypesOf lists the usage event types of the zone's accounts in order, system networks left out.
func usageTypesOf(t testing.TB, z *Zone, keep ...string) []string {
	t.Helper()
	var out []string
	for _, r := range table(t, z, "cloud.usage_event") {
		if len(keep) == 0 || slices.ContainsFunc(keep, func(k string) bool { return strings.HasPrefix(r["type"], k) }) {
			out = append(out, r["type"])
		}
	}
	return out
}

func TestNetworkUsageModels(t *testing.T) {
	for release, want := range map[string][]string{
		// at implement, then once a VM that starts
		"4.20.0.0": {"NETWORK.CREATE", "NETWORK.UPDATE", "NETWORK.DELETE"},
		// at creation, at implement, at shutdown
		"4.20.1.0": {"NETWORK.CREATE", "NETWORK.UPDATE", "NETWORK.UPDATE", "NETWORK.DELETE"},
	} {
		t.Run(release, func(t *testing.T) {
			b := newBench(t, release)
			s := b.vpcSite(0)
			created := usageTypesOf(t, b.z, "NETWORK.CREATE")
			if release == "4.20.0.0" {
				require.Empty(t, created)
			} else {
				require.Len(t, created, 1)
			}
			for i := range 2 {
				s.vms = append(s.vms, b.vm(s.tier, fmt.Sprint("m", i)))
			}
			for _, vm := range s.vms {
				b.job("destroyVirtualMachine", "id="+vm, "expunge=true")
			}
			b.job("deleteNetwork", "id="+s.tier)
			require.Equal(t, want, usageTypesOf(t, b.z, "NETWORK.CREATE", "NETWORK.UPDATE", "NETWORK.DELETE"))
		})
	}
}

func TestLimits(t *testing.T) {
	b := newBench(t, "4.20.1.0")
	domain := id(b.call("createDomain", "name=d"), "domain")
	b.call("createAccount", "account=u", "username=u", "password=p", "email=e", "firstname=f", "lastname=l",
		"domainid="+domain)
	who := []string{"account=u", "domainid=" + domain}
	limit := func(typ, max int) {
		b.call("updateResourceLimit", append(who, fmt.Sprint("resourcetype=", typ), fmt.Sprint("max=", max))...)
	}
	vpc := []string{"zoneid=" + b.z.net.Site.UUID, "name=v", "cidr=10.0.0.0/16",
		"vpcofferingid=" + b.offering("listVPCOfferings", "vpcoffering", "Default VPC offering")}
	limit(tenancy.LimitVPC, 0)
	require.Equal(t, 535, b.refused("createVPC", append(vpc, who...)...).Code)
	limit(tenancy.LimitVPC, 1)
	v := id(b.job("createVPC", append(vpc, who...)...), "vpc")
	require.Equal(t, 535, b.refused("createVPC", append(vpc, who...)...).Code)
	limit(tenancy.LimitNetwork, 0)
	tier := []string{"zoneid=" + b.z.net.Site.UUID, "name=t", "vpcid=" + v, "gateway=10.0.1.1", "netmask=255.255.255.0",
		"networkofferingid=" + b.offering("listNetworkOfferings", "networkoffering",
			"DefaultIsolatedNetworkOfferingForVpcNetworks")}
	refused := b.refused("createNetwork", tier...)
	require.Equal(t, 535, refused.Code)
	require.Contains(t, refused.Text, "Type = 'network' for Account Name = u")
	limit(tenancy.LimitIP, 1) // the VPC's own source NAT address
	require.Equal(t, 532, b.refused("associateIpAddress", "vpcid="+v).Code)
	limit(tenancy.LimitIP, 2)
	b.job("associateIpAddress", "vpcid="+v)
	require.Equal(t, "2", b.one("listAccounts", "account", who...)["iplimit"])
	require.Equal(t, "0", b.one("listAccounts", "account", who...)["ipavailable"])
	require.Equal(t, 431, b.refused("updateResourceLimit", append(who, "resourcetype=99", "max=1")...).Code)
}

// TestDomainLimits: the accounts of a domain share its limits, whatever their own are, and an instance counts
// against several.
func TestDomainLimits(t *testing.T) {
	b := newBench(t, "4.20.1.0")
	domain := id(b.call("createDomain", "name=d"), "domain")
	vpc := func(account string, n int) []string {
		return []string{"zoneid=" + b.z.net.Site.UUID, fmt.Sprint("name=", account, n), "cidr=10.0.0.0/16",
			"account=" + account, "domainid=" + domain,
			"vpcofferingid=" + b.offering("listVPCOfferings", "vpcoffering", "Default VPC offering")}
	}
	limit := func(typ, max int) {
		b.call("updateResourceLimit", "domainid="+domain, fmt.Sprint("resourcetype=", typ), fmt.Sprint("max=", max))
	}
	limit(tenancy.LimitVPC, 2)
	for _, one := range []string{"a", "b", "c"} {
		b.call("createAccount", "account="+one, "username="+one, "password=p", "email=e", "firstname=f", "lastname=l",
			"domainid="+domain)
	}
	b.job("createVPC", vpc("a", 1)...)
	b.job("createVPC", vpc("b", 1)...)
	refused := b.refused("createVPC", vpc("c", 1)...)
	require.Equal(t, 535, refused.Code)
	require.Contains(t, refused.Text, "Maximum domain resource limits of Type 'vpc'")
	limit(tenancy.LimitVPC, -1)
	b.job("createVPC", vpc("c", 1)...)

	c := b.z.tenancy.Accounts.All()[len(b.z.tenancy.Accounts.All())-1]
	o := net.OfferingByUUID(b.z.net.ServiceOfferings, b.z.net.ServiceOfferings[0].UUID)
	require.NoError(t, b.z.compute.CheckVMLimits(c, o))
	for _, typ := range []int{tenancy.LimitVM, tenancy.LimitCPU, tenancy.LimitMemory, tenancy.LimitVolume} {
		limit(typ, 0)
		require.ErrorContains(t, b.z.compute.CheckVMLimits(c, o), tenancy.LimitTypes()[typ].Name)
		limit(typ, -1)
	}
	require.EqualValues(t, -1, b.z.tenancy.DomainLimit(c.Domain, tenancy.LimitIP), "as installed: "+
		"schema-452to460.sql, and as recorded (listDomains)")
}

// TestAccountRemoval: everything that an account owns goes, in order, and its rules' deletes are on the record.
func TestAccountRemoval(t *testing.T) {
	b := newBench(t, "4.20.1.0")
	s := b.vpcSite(1) // the admin's, which must stay
	other := b.rule(b.address(s.vpc), s.tier, "stays", 80)
	domain := id(b.call("createDomain", "name=d"), "domain")
	account := id(b.call("createAccount", "account=u", "username=u", "password=p", "email=e", "firstname=f",
		"lastname=l", "domainid="+domain), "account")
	vpc := id(b.job("createVPC", "zoneid="+b.z.net.Site.UUID, "name=v", "cidr=10.0.0.0/16", "account=u",
		"domainid="+domain,
		"vpcofferingid="+b.offering("listVPCOfferings", "vpcoffering", "Default VPC offering")), "vpc")
	tier := b.tier(vpc, 1)
	vm := id(b.job("deployVirtualMachine", "zoneid="+b.z.net.Site.UUID, "name=m", "networkids="+tier, "account=u",
		"domainid="+domain,
		"serviceofferingid="+b.offering("listServiceOfferings", "serviceoffering", "Small"),
		"templateid="+b.offering("listTemplates", "template", "CentOS")), "virtualmachine")
	rule := b.rule(b.address(vpc), tier, "plain", 80)
	b.job("assignToLoadBalancerRule", "id="+rule, "virtualmachineids="+vm)
	b.groupOf("u", b.rule(b.address(vpc), tier, "grouped", 81))
	require.NoError(t, b.z.Advance(t.Context(), 15*time.Second))
	require.Equal(t, "1", fmt.Sprint(b.one("listAutoScaleVmGroups", "autoscalevmgroup",
		"listall=true")["availablevirtualmachinecount"]))
	before := len(usageTypesOf(t, b.z))

	b.job("deleteAccount", "id="+account)
	b.job("deleteDomain", "id="+domain)
	require.Equal(
		t,
		[]string{"NETWORK.UPDATE", "LB.DELETE", "LB.DELETE", "NETWORK.DELETE", "NET.IPRELEASE", "NET.IPRELEASE",
			"NET.IPRELEASE", "VPC.DELETE"},
		slices.DeleteFunc(usageTypesOf(t, b.z)[before:], func(s string) bool {
			return strings.HasPrefix(s, "VM.") || strings.HasPrefix(s, "VOLUME.") ||
				strings.HasPrefix(s, "NETWORK.OFFERING")
		}),
	)
	for list, key := range map[string]string{"listVirtualMachines": "virtualmachine", "listVPCs": "vpc",
		"listNetworks": "network", "listLoadBalancerRules": "loadbalancerrule", "listRouters": "router"} {
		require.Len(t, b.call(list, "listall=true")[key], 1, list)
	}
	require.Equal(t, other, b.one("listLoadBalancerRules", "loadbalancerrule")["id"])
	require.Equal(t, obj{}, b.call("listAutoScaleVmGroups", "listall=true"))
	require.Equal(t, "1 removed", fmt.Sprint(b.z.tenancy.AccountByUUID(account).Type+1, " ",
		b.z.tenancy.AccountByUUID(account).State))
	_, _, known := b.z.tenancy.KeyOwner("")
	require.False(t, known)
}

// groupOf makes a group of one member as the user of that name, whose objects all must be.
func (b *bench) groupOf(name, rule string) {
	b.Helper()
	user, ok := kernel.Find(b.z.tenancy.Users.All(), name, func(u *tenancy.User) string { return u.Username })
	require.True(b, ok)
	made := func(command string, words ...string) string {
		b.Helper()
		answer, err := b.z.Call(b.Context(), user, command, params(words))
		require.NoError(b, err, command)
		require.NoError(b, b.z.Jobs(b.Context()))
		require.Equal(b, 1, b.z.kernel.JobByUUID(answer["jobid"].(string)).Status, command)
		return answer["id"].(string)
	}
	counter := b.z.autoscale.Counters.All()[slices.IndexFunc(b.z.autoscale.Counters.All(),
		func(c *autoscale.Counter) bool { return c.Provider == "VpcVirtualRouter" })].UUID
	condition := made("createCondition", "counterid="+counter, "relationaloperator=GT", "threshold=90")
	up := made("createAutoScalePolicy", "action=scaleup", "duration=60", "conditionids="+condition)
	down := made("createAutoScalePolicy", "action=scaledown", "duration=60", "conditionids="+condition)
	profile := made("createAutoScaleVmProfile", "zoneid="+b.z.net.Site.UUID,
		"serviceofferingid="+b.z.net.ServiceOfferings[0].UUID, "templateid="+b.z.net.Site.VMImage.UUID)
	made("createAutoScaleVmGroup", "lbruleid="+rule, "minmembers=1", "maxmembers=1", "scaleuppolicyids="+up,
		"scaledownpolicyids="+down, "vmprofileid="+profile, "name=grp", "interval=10")
}

func TestUsageRecords(t *testing.T) {
	for release, form := range map[string]string{"4.19.3.0": "'T'", "4.20.1.0": "T"} {
		t.Run(release, func(t *testing.T) {
			b := newBench(t, release)
			s := b.vpcSite(0)
			address := b.address(s.vpc)
			rule := b.rule(address, s.tier, "web", 80)
			run := func() {
				require.NoError(t, b.z.Advance(t.Context(), 2*time.Minute))
				job, err := b.z.metering.RunUsage(t.Context())
				require.NoError(t, err)
				require.NoError(t, job.Err)
			}
			run()
			query := []string{"startdate=2026-11-21", "enddate=2026-11-21", "type=11"}
			last := func(words ...string) obj {
				all := b.call("listUsageRecords", append(slices.Clone(query), words...)...)["usagerecord"].([]any)
				return all[len(all)-1].(obj)
			}
			record := last("usageid=" + rule)
			require.Equal(t, "Loadbalancer policy usage web ("+rule+")", record["description"])
			require.Equal(t, rule, record["usageid"])
			require.Contains(t, record["startdate"], "2026-11-21"+form)
			require.Equal(t, "Load Balancing Policy: 1 usage time", last("oldformat=true")["description"])
			require.Equal(t, b.call("listUsageRecords", query...), b.call("listUsageRecords",
				"startdate=2026-11-21 00:00:00", "enddate=2026-11-21 23:59:59", "type=11"))
			require.Equal(t, obj{}, b.call("listUsageRecords", "startdate=2026-11-20", "enddate=2026-11-20", "type=11"))

			b.job("deleteLoadBalancerRule", "id="+rule)
			run()
			record = last()
			require.Equal(t, "Loadbalancer policy usage ", record["description"])
			require.NotContains(t, record, "usageid")
			require.Equal(t, obj{}, b.call("listUsageRecords", append(query, "usageid="+rule)...), "a deleted "+
				"rule cannot be asked for")
			require.Equal(t, 431, b.refused("listUsageRecords", "startdate=2026-11-22", "enddate=2026-11-21").Code)
			require.Equal(t, 431, b.refused("listUsageRecords", "startdate=2026-11-21", "enddate=2026-11-21",
				"usageid="+rule).Code)
			for typ, text := range map[string]string{"3": "IPAddress: 192.168.2.",
				"31": "VPC usage for v (" + s.vpc + ")"} {
				require.Contains(t, last("type=" + typ)["description"], text)
			}

			require.Equal(t, 431, b.refused("removeRawUsageRecords", "interval=0").Code)
			b.call("removeRawUsageRecords", "interval=1")
			require.NotEmpty(t, b.call("listUsageRecords", query...))
			_, err := b.z.kernel.DB().Exec("UPDATE cloud_usage.cloud_usage SET end_date = end_date - INTERVAL 25 HOUR")
			require.NoError(t, err)
			b.call("removeRawUsageRecords", "interval=1")
			require.Equal(t, obj{}, b.call("listUsageRecords", query...))
		})
	}
}

// states keeps what routers were told.
type states struct {
	mu    sync.Mutex
	lines []string
}

func (s *states) Push(context.Context, net.Push) error { return nil }

func (s *states) RouterState(_ context.Context, router, state string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, router+" "+state)
	return nil
}

func TestRouters(t *testing.T) {
	told := &states{}
	z, err := Open(t.Context(), Options{Release: "4.20.1.0", DB: testDatabase(t, "4.20.1.0"),
		Clock: kernel.NewManual(time.Now()), Pushes: told})
	require.NoError(t, err)
	b := &bench{TB: t, z: z}
	vpc := id(b.job("createVPC", "zoneid="+z.net.Site.UUID, "name=v", "cidr=10.0.0.0/16",
		"vpcofferingid="+b.offering("listVPCOfferings", "vpcoffering", "Redundant")), "vpc")
	require.Equal(t, []string{"r-3-VM", "r-4-VM"}, z.RouterNames())
	b.job("restartVPC", "id="+vpc, "cleanup=true")
	require.Equal(t, []string{"r-5-VM", "r-6-VM"}, z.RouterNames())
	router := b.z.net.Routers.All()[0].UUID
	b.job("stopRouter", "id="+router)
	b.job("startRouter", "id="+router)
	b.job("destroyRouter", "id="+router)
	b.job("deleteVPC", "id="+vpc)
	require.Empty(t, z.RouterNames())
	require.Equal(t, strings.Fields("r-3-VM_Running r-4-VM_Running r-3-VM_Destroyed r-4-VM_Destroyed "+
		"r-5-VM_Running r-6-VM_Running r-5-VM_Stopped r-5-VM_Running r-5-VM_Destroyed r-6-VM_Destroyed"),
		strings.Fields(strings.ReplaceAll(strings.Join(told.lines, "\n"), " ", "_")))
	require.NoError(t, z.Close(context.Background()))
}

func TestScheduleOrder(t *testing.T) {
	b := newBench(t, "4.20.1.0")
	start := b.z.Now()
	var got []string
	plan := func(after time.Duration, what string) *kernel.Task {
		b.z.kernel.Lock()
		defer b.z.kernel.Unlock()
		return b.z.kernel.At(start.Add(after), what, func(context.Context) {
			got = append(got, fmt.Sprint(what, " ", b.z.Now().Sub(start)))
		})
	}
	plan(30*time.Second, "late")
	plan(10*time.Second, "early")
	plan(10*time.Second, "second")
	cancelled := plan(20*time.Second, "cancelled")
	plan(time.Hour, "beyond")
	b.z.kernel.Lock()
	b.z.kernel.Cancel(cancelled)
	b.z.kernel.Unlock()
	require.NoError(t, b.z.Advance(t.Context(), time.Minute))
	require.Equal(t, []string{"early 10s", "second 10s", "late 30s"}, got)
	require.Equal(t, time.Minute, b.z.Now().Sub(start))
}

// TestWallClock: on the computer's clock due tasks run by themselves, and Close ends what works in the background.
func TestWallClock(t *testing.T) {
	z, err := Open(t.Context(), Options{Release: "4.20.1.0", DB: testDatabase(t, "4.20.1.0")})
	require.NoError(t, err)
	ran := make(chan struct{})
	z.kernel.Lock()
	z.kernel.At(z.Now().Add(time.Millisecond), "test", func(context.Context) { close(ran) })
	z.kernel.Unlock()
	select {
	case <-ran:
	case <-time.After(30 * time.Second):
		t.Error("a task that was due at once has not run after 30 s")
	}
	require.NoError(t, z.Close(context.Background()))
}

func TestOpenRefuses(t *testing.T) {
	_, err := Open(t.Context(), Options{Release: "4.18.0.0", DB: testDatabase(t, "4.20")})
	require.ErrorContains(t, err, `release "4.18.0.0" has no profile: want one of 4.18.2.5`)
	_, err = Open(t.Context(), Options{Release: "4.20.0.0"})
	require.ErrorContains(t, err, "needs a database server")
	_, err = Open(t.Context(), Options{Release: "4.20.0.0", DB: testDatabase(t, "4.20"), Listen: "nowhere:1"})
	require.ErrorContains(t, err, "listening for the API")
}

// TestComparisonSeesFaults: what differs from a recording is reported.
func TestComparisonSeesFaults(t *testing.T) {
	files := recordings(t)["4.20.0.0"]
	if len(files) == 0 {
		t.Skip("no recording of 4.20.0.0")
	}
	for name, change := range map[string]func(e *exchange) bool{
		"status": func(e *exchange) bool { e.Status = 531; return e.Command == "createVPC" },
		"root": func(e *exchange) bool {
			e.Body = map[string]any{"other": e.Body["createvpcresponse"]}
			return e.Command == "createVPC"
		},
		"missing field": func(e *exchange) bool { return e.Command == "listVPCs" && field(e, "vpc", "added", "x") },
		"type": func(e *exchange) bool {
			return e.Command == "listLoadBalancerRules" && field(e, "loadbalancerrule", "publicport", 80.0)
		},
		"value": func(e *exchange) bool {
			return e.Command == "listLoadBalancerRules" && field(e, "loadbalancerrule", "algorithm", "source")
		},
		"error text": func(e *exchange) bool { return e.Status == 431 && rootField(e, "errortext", "other") },
		"error code": func(e *exchange) bool { return e.Status == 431 && rootField(e, "cserrorcode", 1.0) },
	} {
		t.Run(name, func(t *testing.T) {
			all := readRecording(t, files[slices.IndexFunc(files, func(f string) bool {
				return strings.HasSuffix(f,
					"/api.jsonl")
			})])
			changed := false
			for i, e := range all {
				c := *e
				if !changed && change(&c) {
					changed, all[i] = true, &c
				}
			}
			require.True(t, changed)
			r := newReplay(t, "4.20.0.0", all)
			for _, e := range all {
				r.play(e)
			}
			assert.NotEmpty(t, r.diffs)
		})
	}
}

func field(e *exchange, list, name string, value any) bool {
	for _, root := range e.Body {
		if all, ok := root.(map[string]any)[list].([]any); ok && len(all) > 0 {
			all[0].(map[string]any)[name] = value
			return true
		}
	}
	return false
}

func rootField(e *exchange, name string, value any) bool {
	for _, root := range e.Body {
		root.(map[string]any)[name] = value
	}
	return true
}
