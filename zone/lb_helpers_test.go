package zone

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/push"
)

// bench is a zone on a manual clock whose pushes are kept, with what most tests of load balancing need.
type bench struct {
	testing.TB
	z     *Zone
	clock *kernel.Manual
	log   bytes.Buffer

	mu     sync.Mutex
	pushes []net.Push
	fail   error // what the next pushes answer
}

// Push keeps the push.
func (b *bench) Push(_ context.Context, p net.Push) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pushes = append(b.pushes, p)
	return b.fail
}

// RouterState is of no interest here.
func (b *bench) RouterState(context.Context, string, string) error { return nil }

func (b *bench) failing(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail = nil
	if on {
		b.fail = errors.New("answer is false")
	}
}

// taken answers the pushes since the last call.
func (b *bench) taken() []net.Push {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.pushes
	b.pushes = nil
	return p
}

func newBench(t *testing.T, name string, words ...release.Knob) *bench {
	t.Helper()
	b := &bench{TB: t, clock: kernel.NewManual(time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC))}
	b.open(name, words)
	t.Cleanup(b.shut)
	return b
}

func (b *bench) open(name string, words []release.Knob) {
	b.Helper()
	knobs, err := release.ProfileKnobs(name)
	require.NoError(b, err)
	require.NoError(b, fault.Set(knobs, words...))
	b.z, err = Open(b.Context(), Options{
		Release: name, Knobs: knobs, DB: testDatabase(b, name), Clock: b.clock, Pushes: b, ManagementLog: &b.log,
		Seed: 7,
	})
	require.NoError(b, err)
}

func (b *bench) shut() { require.NoError(b, b.z.Close(context.Background())) }

// params turns "a=1", "b=2" into a call's parameters.
func params(words []string) map[string]string {
	p := map[string]string{}
	for _, w := range words {
		k, v, _ := strings.Cut(w, "=")
		p[strings.ToLower(k)] = v
	}
	return p
}

// call makes a synchronous call that must succeed.
func (b *bench) call(name string, words ...string) obj {
	b.Helper()
	answer, err := b.z.Call(b.Context(), b.z.tenancy.Admin, name, params(words))
	require.NoError(b, err, name)
	return asJSON(b, answer)
}

// refused makes a call that must be refused at once.
func (b *bench) refused(name string, words ...string) *api.Error {
	b.Helper()
	answer, err := b.z.Call(b.Context(), b.z.tenancy.Admin, name, params(words))
	require.Error(b, err, "%s answered %v", name, answer)
	return kernel.AsAPI(err)
}

// ended makes an asynchronous call, waits for its job and answers the job.
func (b *bench) ended(name string, words ...string) obj {
	b.Helper()
	answer := b.call(name, words...)
	require.NoError(b, b.z.Jobs(b.Context()))
	return b.call("queryAsyncJobResult", fmt.Sprintf("jobid=%s", answer["jobid"]))
}

// job makes an asynchronous call that must succeed and answers its result.
func (b *bench) job(name string, words ...string) obj {
	b.Helper()
	done := b.ended(name, words...)
	require.EqualValues(b, 1, done["jobstatus"], "%s: %v", name, done["jobresult"])
	return done["jobresult"].(obj)
}

// broken makes an asynchronous call whose job must fail and answers its text, led by the code.
func (b *bench) broken(name string, words ...string) string {
	b.Helper()
	done := b.ended(name, words...)
	require.EqualValues(b, 2, done["jobstatus"], "%s: %v", name, done["jobresult"])
	result := done["jobresult"].(obj)
	return fmt.Sprintf("%v %v", result["errorcode"], result["errortext"])
}

// asJSON gives an answer the types that a client sees.
func asJSON(t require.TestingT, answer obj) obj {
	text, err := json.Marshal(answer)
	require.NoError(t, err)
	var out obj
	require.NoError(t, json.Unmarshal(text, &out))
	return out
}

func id(answer obj, key string) string { return answer[key].(obj)["id"].(string) }

func (b *bench) one(list, key string, words ...string) obj {
	b.Helper()
	all := b.call(list, words...)[key]
	require.Len(b, all, 1, list)
	return all.([]any)[0].(obj)
}

func (b *bench) offering(list, key, name string) string {
	b.Helper()
	for _, one := range b.call(list, "templatefilter=all", "listall=true")[key].([]any) {
		if strings.Contains(one.(obj)["name"].(string), name) {
			return one.(obj)["id"].(string)
		}
	}
	b.Fatalf("%s has no %s", list, name)
	return ""
}

// site is a VPC with one tier and two VMs on it.
type labSite struct {
	vpc, tier string
	vms       []string
}

func (b *bench) vpcSite(vms int) labSite {
	b.Helper()
	zone := b.z.net.Site.UUID
	var s labSite
	s.vpc = id(b.job("createVPC", "zoneid="+zone, "name=v", "displaytext=v", "cidr=10.0.0.0/16",
		"vpcofferingid="+b.offering("listVPCOfferings", "vpcoffering", "Default VPC offering")), "vpc")
	s.tier = b.tier(s.vpc, 1)
	for i := range vms {
		s.vms = append(s.vms, b.vm(s.tier, fmt.Sprintf("vm%d", i)))
	}
	return s
}

func (b *bench) tier(vpc string, n int) string {
	b.Helper()
	return id(b.call("createNetwork", "zoneid="+b.z.net.Site.UUID, fmt.Sprintf("name=tier%d", n), "displaytext=t",
		"vpcid="+vpc,
		fmt.Sprintf("gateway=10.0.%d.1", n), "netmask=255.255.255.0",
		"networkofferingid="+b.offering("listNetworkOfferings", "networkoffering",
			"DefaultIsolatedNetworkOfferingForVpcNetworks")), "network")
}

func (b *bench) vm(network, name string) string {
	b.Helper()
	return id(b.job("deployVirtualMachine", "zoneid="+b.z.net.Site.UUID, "name="+name, "networkids="+network,
		"serviceofferingid="+b.offering("listServiceOfferings", "serviceoffering", "Small"),
		"templateid="+b.offering("listTemplates", "template", "CentOS")), "virtualmachine")
}

func (b *bench) address(vpc string) string {
	b.Helper()
	return id(b.job("associateIpAddress", "vpcid="+vpc, "zoneid="+b.z.net.Site.UUID), "ipaddress")
}

// rule makes a rule of the tier on an address.
func (b *bench) rule(address, tier, name string, port int, words ...string) string {
	b.Helper()
	return id(b.job("createLoadBalancerRule", append([]string{"publicipid=" + address, "networkid=" + tier,
		"name=" + name, "algorithm=roundrobin",
		fmt.Sprintf("publicport=%d", port), "privateport=8080"}, words...)...), "loadbalancer")
}

func (b *bench) ruleState(id string) string {
	b.Helper()
	return b.one("listLoadBalancerRules", "loadbalancerrule", "id="+id)["state"].(string)
}

// group makes an autoscale group with min=max=size on a rule.
func (b *bench) group(rule string, size int) string {
	b.Helper()
	var cpu string
	for _, one := range b.call("listCounters")["counter"].([]any) {
		if c := one.(obj); c["provider"] == "VpcVirtualRouter" && c["source"] == "CPU" {
			cpu = c["id"].(string)
		}
	}
	up := id(b.job("createAutoScalePolicy", "action=scaleup", "duration=60", "conditionids="+
		id(b.job("createCondition", "counterid="+cpu, "relationaloperator=GT", "threshold=90"), "condition")),
		"autoscalepolicy")
	down := id(b.job("createAutoScalePolicy", "action=scaledown", "duration=60", "conditionids="+
		id(b.job("createCondition", "counterid="+cpu, "relationaloperator=LT", "threshold=1"), "condition")),
		"autoscalepolicy")
	profile := id(b.job("createAutoScaleVmProfile", "zoneid="+b.z.net.Site.UUID,
		"serviceofferingid="+b.offering("listServiceOfferings", "serviceoffering", "Small"),
		"templateid="+b.offering("listTemplates", "template", "CentOS")), "autoscalevmprofile")
	return id(b.job("createAutoScaleVmGroup", "lbruleid="+rule, fmt.Sprintf("minmembers=%d", size),
		fmt.Sprintf("maxmembers=%d", size), "scaleuppolicyids="+up,
		"scaledownpolicyids="+down, "vmprofileid="+profile, "name=grp", "interval=10"), "autoscalevmgroup")
}

func (b *bench) advance(d time.Duration) {
	b.Helper()
	require.NoError(b, b.z.Advance(b.Context(), d))
}

// sent decodes a push.
func sent(t require.TestingT, p net.Push) push.ConfigCommand {
	var all map[string]push.ConfigCommand
	require.NoError(t, json.Unmarshal(p.Command, &all))
	return all[push.LoadBalancerCommand]
}

// balancer is one rule of a push.
func balancer(t require.TestingT, p net.Push, id string) *push.BalancerTO {
	for _, one := range sent(t, p).LoadBalancers {
		if one.UUID == id {
			return &one
		}
	}
	return nil
}

// count answers the rows of a query's single number.
func (b *bench) count(query string, args ...any) int {
	b.Helper()
	var n int
	require.NoError(b, b.z.kernel.DB().QueryRowContext(b.Context(), query, args...).Scan(&n))
	return n
}
