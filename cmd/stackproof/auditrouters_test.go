package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/audit"
	"github.com/stackproof/stackproof/harness/fleet"
	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/zone/database"
)

// TestAuditLooksIntoRouters: a real HAProxy that the command enters as ssh would a real router. What is in force there
// agrees with the database; then a rule changes in the database alone.
func TestAuditLooksIntoRouters(t *testing.T) {
	if err := network.Check(); err != nil {
		t.Skip(err)
	}
	const name = "r-4-VM"
	rules, err := router.RulesFor(release.Default)
	require.NoError(t, err)
	f := fleet.New(t.TempDir(), rules, nil)
	t.Cleanup(func() { assert.NoError(t, f.Close()) })
	push, err := router.ParsePush([]byte(`{"loadBalancers":[{"uuid":"u7","srcIp":"10.7.0.1","srcPort":80,` +
		`"protocol":"tcp","lbProtocol":"tcp","algorithm":"roundrobin","revoked":false,"destinations":` +
		`[{"destIp":"10.1.1.21","destPort":8080,"revoked":false,"alreadyAdded":false}]}],"lbStatsVisibility":` +
		`"guest-network","lbStatsPublicIP":"10.7.0.1","lbStatsGuestIP":"10.1.1.1","lbStatsPort":"8081","maxconn":"4096",` +
		`"accessDetails":{"router.name":"` + name + `"}}`))
	require.NoError(t, err)
	require.NoError(t, f.Push(t.Context(), name, push))
	files, err := f.Files(t.Context(), name)
	require.NoError(t, err)

	server, err := database.Start(t.Context(), database.Options{Schema: release.Default})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	db, err := server.Open(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	fillRouters(t, db, name, files.MasterPID)

	report := filepath.Join(t.TempDir(), "audit.json")
	look := func() *audit.Result {
		_, _, errs := said("audit", "-q", "--dsn", server.ReadOnlyDSN(), "--json", report, "--router",
			"nsenter -t {linklocal} -m -n -p unshare -m --mount-proc {command}")
		require.Empty(t, errs)
		data, err := os.ReadFile(report)
		require.NoError(t, err)
		var r audit.Result
		require.NoError(t, json.Unmarshal(data, &r))
		return &r
	}
	r := look()
	require.Equal(t, audit.Clean, r.Check("L4").Outcome, r.Check("L4").Text)
	require.Equal(t, "1 routers have in force what the database says", r.Check("L4").Text)
	require.Len(t, r.Traffic, 1)
	require.Equal(t, []string{"10_7_0_1-80_0"}, append(r.Traffic[0].Up, r.Traffic[0].Down...))

	_, err = db.ExecContext(t.Context(), "UPDATE cloud.load_balancing_rules SET algorithm = 'leastconn'")
	require.NoError(t, err)
	r = look()
	require.Equal(t, audit.Found, r.Check("L4").Outcome)
	require.Contains(t, r.Check("L4").Text, "the algorithm is roundrobin, the rule's is leastconn")
}

// fillRouters writes one rule with one member behind one running router.
func fillRouters(t *testing.T, db *sql.DB, name string, pid int) {
	t.Helper()
	db.SetMaxOpenConns(1) // of SET SESSION
	for _, statement := range []string{
		"SET SESSION sql_mode = ''",
		"CREATE TABLE cloud.domain_router (id BIGINT PRIMARY KEY, vpc_id BIGINT, public_ip_address VARCHAR(40), " +
			"template_version VARCHAR(40), scripts_version VARCHAR(40))",
		"INSERT INTO cloud.domain_router VALUES (4, 1, '10.7.0.1', 'v', 's')",
		fmt.Sprintf("INSERT INTO cloud.vm_instance (id, instance_name, state, private_ip_address) VALUES "+
			"(4, '%s', 'Running', '%d')", name, pid),
		"INSERT INTO cloud.networks (id, vpc_id) VALUES (2, 1)",
		"INSERT INTO cloud.user_ip_address (id, public_ip_address) VALUES (1, '10.7.0.1')",
		"INSERT INTO cloud.firewall_rules (id, uuid, ip_address_id, start_port, end_port, state, purpose, " +
			"account_id, " +
			"network_id) VALUES (7, 'u7', 1, 80, 80, 'Active', 'LoadBalancing', 2, 2)",
		"INSERT INTO cloud.load_balancing_rules (id, name, default_port_start, default_port_end, algorithm) " +
			"VALUES (7, 'a', 8080, 8080, 'roundrobin')",
		"INSERT INTO cloud.load_balancer_vm_map (load_balancer_id, instance_id, `revoke`, instance_ip) VALUES " +
			"(7, 21, 0, '10.1.1.21')",
	} {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
}
