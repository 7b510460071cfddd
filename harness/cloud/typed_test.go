package cloud_test

import (
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/cloud"
)

var update = flag.Bool("update", false, "write the golden files")

// TestTypedCalls makes every typed change once and holds the parameters that were sent against a golden file. All calls
// are signed, so what the server got is what was meant.
func TestTypedCalls(t *testing.T) {
	sync := map[string]string{"createNetwork": "network", "createDomain": "domain", "createAccount": "account",
		"registerUserKeys":    "userkeys",
		"updateConfiguration": "configuration", "configureSimulator": "null"}
	var sent []string
	s := serve(t, func(w http.ResponseWriter, command string, _ int, v url.Values) {
		if command == "queryAsyncJobResult" {
			answerJSON(w, 200, `{"r":{"jobstatus":1,"jobid":"j","jobresult":{"object":{"id":"made"}}}}`)
			return
		}
		line := []string{}
		for name := range v {
			switch name {
			case "command", "apikey", "response", "signature", "signatureversion", "expires":
			default:
				line = append(line, name+"="+v.Get(name))
			}
		}
		slices.Sort(line)
		sent = append(sent, command+" "+strings.Join(line, " "))
		switch {
		case sync[command] != "":
			answerJSON(w, 200, `{"r":{"`+sync[command]+`":{}}}`)
		case command == "enableStaticNat" || command == "generateUsageRecords" || command == "cleanupSimulatorMock":
			answerJSON(w, 200, `{"r":{"success":"true"}}`)
		default:
			answerJSON(w, 200, `{"r":{"id":"made","jobid":"j"}}`)
		}
	})
	c := client(t, s, func(o *cloud.Options) { o.Now = recordedDay })
	for _, f := range []func(*testing.T, *cloud.Client){networkCalls, balancingCalls, otherCalls} {
		f(t, c)
	}
	golden := filepath.Join("testdata", "typed-calls.golden")
	got := strings.Join(sent, "\n") + "\n"
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// made waits for a create.
func made[T any](t *testing.T) func(*cloud.Creating[T], error) {
	return func(p *cloud.Creating[T], err error) {
		t.Helper()
		require.NoError(t, err)
		require.Equal(t, "made", p.ID)
		_, err = p.Wait(t.Context())
		require.NoError(t, err)
	}
}

func ok[T any](t *testing.T) func(T, error) {
	return func(_ T, err error) { t.Helper(); require.NoError(t, err) }
}

func networkCalls(t *testing.T, c *cloud.Client) {
	ctx := t.Context()
	o := cloud.Owner{Account: "acc", DomainID: "dom"}
	made[cloud.VPC](t)(c.CreateVPC(ctx, cloud.VPCSpec{Owner: o, Name: "v", ZoneID: "z", OfferingID: "vo",
		CIDR: "10.0.0.0/16"}))
	require.NoError(t, c.RestartVPC(ctx, "v", true))
	require.NoError(t, c.DeleteVPC(ctx, "v"))
	ok[*cloud.Network](t)(c.CreateNetwork(ctx, cloud.NetworkSpec{Owner: o, Name: "n", ZoneID: "z", OfferingID: "no",
		VPCID: "v", Gateway: "10.0.1.1", Netmask: "255.255.255.0"}))
	ok[*cloud.Network](t)(c.CreateNetwork(ctx, cloud.NetworkSpec{Name: "n", ZoneID: "z", OfferingID: "no"}))
	ok[*cloud.Network](t)(c.UpdateNetworkOffering(ctx, "n", "no", true))
	require.NoError(t, c.DeleteNetwork(ctx, "n"))
	made[cloud.PublicIPAddress](t)(c.AssociateIPAddress(ctx, "z", "v", "", o))
	require.NoError(t, c.DisassociateIPAddress(ctx, "a"))
	made[cloud.PortForwardingRule](t)(c.CreatePortForwardingRule(ctx, cloud.PortForwardingSpec{IPAddressID: "a",
		NetworkID: "n", VMID: "m", Protocol: "tcp", PublicPort: 2222, PrivatePort: 22}))
	require.NoError(t, c.DeletePortForwardingRule(ctx, "p"))
	made[cloud.FirewallRule](t)(c.CreateFirewallRule(ctx, "a", "tcp", 1000, 1010, "10.0.0.0/8", "11.0.0.0/8"))
	require.NoError(t, c.DeleteFirewallRule(ctx, "f"))
	require.NoError(t, c.EnableStaticNAT(ctx, "a", "m", "n"))
	require.NoError(t, c.DisableStaticNAT(ctx, "a"))
	ok[*cloud.Router](t)(c.StopRouter(ctx, "r"))
	ok[*cloud.Router](t)(c.StartRouter(ctx, "r"))
}

func balancingCalls(t *testing.T, c *cloud.Client) {
	ctx := t.Context()
	no, n := false, 10
	made[cloud.LoadBalancerRule](t)(c.CreateLoadBalancerRule(ctx,
		cloud.LoadBalancerRuleSpec{Owner: cloud.Owner{Account: "acc", DomainID: "dom"}, Name: "l", Algorithm: "source",
			PublicIPID: "a", NetworkID: "n", PublicPort: 80, PrivatePort: 8080, Protocol: "tcp",
			CIDRs: []string{"10.0.0.0/8"}, OpenFirewall: &no}))
	ok[*cloud.LoadBalancerRule](t)(c.UpdateLoadBalancerRule(ctx, "l", cloud.Params{"algorithm": "leastconn"}))
	require.NoError(t, c.AssignToLoadBalancerRule(ctx, "l", "m1", "m2"))
	require.NoError(t, c.RemoveFromLoadBalancerRule(ctx, "l", "m1"))
	made[cloud.StickinessPolicies](t)(c.CreateStickinessPolicy(ctx, cloud.StickinessSpec{LBRuleID: "l", Name: "s",
		MethodName: "SourceBased", Description: "d", Params: map[string]string{"tablesize": "1k"}}))
	require.NoError(t, c.DeleteStickinessPolicy(ctx, "s"))
	made[cloud.Counter](t)(c.CreateCounter(ctx, "cpu", "CPU", "vm.cpu.average.percentage", "VirtualRouter"))
	require.NoError(t, c.DeleteCounter(ctx, "cpu"))
	made[cloud.Condition](t)(c.CreateCondition(ctx, "counter", "GT", 90, cloud.Owner{}))
	made[cloud.AutoScalePolicy](t)(c.CreateAutoScalePolicy(ctx, cloud.AutoScalePolicySpec{Name: "p", Action: "scaleup",
		Duration: 60, QuietTime: &n, ConditionIDs: []string{"c1", "c2"}}))
	made[cloud.AutoScaleVMProfile](t)(c.CreateAutoScaleVMProfile(ctx, cloud.AutoScaleVMProfileSpec{ZoneID: "z",
		ServiceOfferingID: "so", TemplateID: "t", ExpungeGrace: &n,
		OtherDeployParams: map[string]string{"rootdisksize": "10"}}))
	made[cloud.AutoScaleVMGroup](t)(c.CreateAutoScaleVMGroup(ctx, cloud.AutoScaleVMGroupSpec{Name: "g", LBRuleID: "l",
		VMProfileID: "pr", Min: 0, Max: 2, Interval: &n, ScaleUpPolicyIDs: []string{"u"},
		ScaleDownPolicyIDs: []string{"d"}}))
	ok[*cloud.AutoScaleVMGroup](t)(c.DisableAutoScaleVMGroup(ctx, "g"))
	ok[*cloud.AutoScaleVMGroup](t)(c.UpdateAutoScaleVMGroup(ctx, "g", cloud.Params{"maxmembers": 3}))
	ok[*cloud.AutoScaleVMGroup](t)(c.EnableAutoScaleVMGroup(ctx, "g"))
	require.NoError(t, c.DeleteAutoScaleVMGroup(ctx, "g", true))
	require.NoError(t, c.DeleteAutoScaleVMProfile(ctx, "pr"))
	require.NoError(t, c.DeleteAutoScalePolicy(ctx, "p"))
	require.NoError(t, c.DeleteCondition(ctx, "c1"))
	require.NoError(t, c.DeleteLoadBalancerRule(ctx, "l"))
}

func otherCalls(t *testing.T, c *cloud.Client) {
	ctx := t.Context()
	ok[*cloud.Domain](t)(c.CreateDomain(ctx, "d", "parent"))
	require.NoError(t, c.DeleteDomain(ctx, "d", true))
	ok[*cloud.Account](t)(c.CreateAccount(ctx, cloud.AccountSpec{Name: "u", DomainID: "d", Password: "pw",
		Email: "u@example.org"}))
	require.NoError(t, c.DeleteAccount(ctx, "acc"))
	ok[cloud.Keys](t)(c.RegisterUserKeys(ctx, "user"))
	ok[*cloud.Configuration](t)(c.UpdateConfiguration(ctx, "expunge.delay", "20"))
	made[cloud.VirtualMachine](t)(c.DeployVirtualMachine(ctx, cloud.VirtualMachineSpec{Name: "m", ZoneID: "z",
		ServiceOfferingID: "so", TemplateID: "t", NetworkIDs: []string{"n"}}))
	ok[*cloud.VirtualMachine](t)(c.StartVirtualMachine(ctx, "m"))
	ok[*cloud.VirtualMachine](t)(c.StopVirtualMachine(ctx, "m"))
	require.NoError(t, c.DestroyVirtualMachine(ctx, "m", true))
	require.NoError(t, c.ExpungeVirtualMachine(ctx, "m"))
	require.NoError(t, c.GenerateUsageRecords(ctx))
	ok[*cloud.SimulatorMock](t)(c.ConfigureSimulator(ctx, "z", "LoadBalancerConfigCommand", "result:fail", 1))
	require.NoError(t, c.CleanupSimulatorMock(ctx, 7))
}

// TestLostTypedCreates: each create that can look for its object finds it when the answer was lost, and does not find a
// sibling.
func TestLostTypedCreates(t *testing.T) {
	lists := map[string]string{
		"listVPCs":                 `"vpc":[{"id":"other","name":"x"},{"id":"made","name":"it"}]`,
		"listNetworks":             `"network":[{"id":"other","name":"x"},{"id":"made","name":"it"}]`,
		"listLoadBalancerRules":    `"loadbalancerrule":[{"id":"other","name":"x"},{"id":"made","name":"it"}]`,
		"listVirtualMachines":      `"virtualmachine":[{"id":"other","name":"x"},{"id":"made","name":"it"}]`,
		"listAutoScalePolicies":    `"autoscalepolicy":[{"id":"other","name":"it","action":"SCALEDOWN"},{"id":"made","name":"it","action":"SCALEUP"}]`,
		"listAutoScaleVmGroups":    `"autoscalevmgroup":[{"id":"other","lbruleid":"x"},{"id":"made","lbruleid":"it"}]`,
		"listPortForwardingRules":  `"portforwardingrule":[{"id":"other","publicport":"23","protocol":"tcp"},{"id":"made","publicport":"22","protocol":"tcp"}]`,
		"listFirewallRules":        `"firewallrule":[{"id":"other","protocol":"tcp","startport":1,"endport":3},{"id":"made","protocol":"tcp","startport":1,"endport":2}]`,
		"listLBStickinessPolicies": `"stickinesspolicies":[{"lbruleid":"l","stickinesspolicy":[{"id":"old","name":"it","methodname":"SourceBased","state":"Revoked"},{"id":"made","name":"it","methodname":"SourceBased"}]}]`,
	}
	s := serve(t, func(w http.ResponseWriter, command string, n int, v url.Values) {
		list, isList := lists[command]
		switch {
		case !isList:
			panic(http.ErrAbortHandler)
		case v.Get("id") == "made":
			key, _, _ := strings.Cut(list, ":")
			answerJSON(w, 200, fmt.Sprintf(`{"r":{"count":1,%s:[{"id":"made"}]}}`, key))
		case command == "listLBStickinessPolicies":
			answerJSON(w, 200, `{"r":{"count":1,`+list+`}}`)
		default:
			answerJSON(w, 200, `{"r":{"count":2,`+list+`}}`)
		}
	})
	c := client(t, s)
	for name, f := range map[string]func(t *testing.T){
		"VPC": func(t *testing.T) { made[cloud.VPC](t)(c.CreateVPC(t.Context(), cloud.VPCSpec{Name: "it"})) },
		"network": func(t *testing.T) {
			n, err := c.CreateNetwork(t.Context(), cloud.NetworkSpec{Name: "it"})
			require.NoError(t, err)
			require.Equal(t, "made", n.Id)
		},
		"rule": func(t *testing.T) {
			made[cloud.LoadBalancerRule](t)(c.CreateLoadBalancerRule(t.Context(),
				cloud.LoadBalancerRuleSpec{Name: "it"}))
		},
		"VM": func(t *testing.T) {
			made[cloud.VirtualMachine](t)(c.DeployVirtualMachine(t.Context(), cloud.VirtualMachineSpec{Name: "it"}))
		},
		"policy": func(t *testing.T) {
			made[cloud.AutoScalePolicy](t)(c.CreateAutoScalePolicy(t.Context(), cloud.AutoScalePolicySpec{Name: "it",
				Action: "ScaleUp"}))
		},
		"group": func(t *testing.T) {
			made[cloud.AutoScaleVMGroup](t)(c.CreateAutoScaleVMGroup(t.Context(),
				cloud.AutoScaleVMGroupSpec{LBRuleID: "it"}))
		},
		"port forwarding": func(t *testing.T) {
			made[cloud.PortForwardingRule](t)(c.CreatePortForwardingRule(t.Context(),
				cloud.PortForwardingSpec{Protocol: "tcp", PublicPort: 22}))
		},
		"firewall": func(t *testing.T) {
			made[cloud.FirewallRule](t)(c.CreateFirewallRule(t.Context(), "a", "tcp", 1,
				2))
		},
		"stickiness": func(t *testing.T) {
			made[cloud.StickinessPolicies](t)(c.CreateStickinessPolicy(t.Context(), cloud.StickinessSpec{LBRuleID: "l",
				Name: "it", MethodName: "SourceBased"}))
		},
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); f(t) })
	}
}

func recordedDay() time.Time { return time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC) }
