// Package zone is the embedded lab zone: the part of a CloudStack management server and usage server that LB rules,
// stickiness, autoscale groups and their usage need, with the releases' behaviour, faults included.
//
// It is not CloudStack: hypervisors are as simulated as in the simulator zone, and the virtual router is somebody else's
// (pushes go to Options.Pushes). Before changing it know that objects live in memory and every row that a test may look
// at is mirrored into a real MariaDB at once; the usage server (zone/usage) sees only the database.
package zone

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/database"
)

// Push is one LoadBalancerConfigCommand on its way to a router.
type Push struct {
	Router  string          // r-3-VM
	Seq     int64           // agent sequence, rising per router
	Command json.RawMessage // {"com.cloud.agent.api.routing.LoadBalancerConfigCommand":{...}}
	Line    string          // the management server's log line
	// Aggregated: sent in bulk at router start (confirmed.md 19).
	Aggregated bool
}

// Pushes receives pushes. An error is a router that answered result=false: the zone rolls back as the release does.
type Pushes interface {
	Push(ctx context.Context, p Push) error
	// RouterState tells that a router was started, stopped or destroyed.
	RouterState(ctx context.Context, router, state string) error
}

// Options say what zone to open. Zero values are usable but for Release and DB.
type Options struct {
	Release string
	Knobs   release.Knobs // default: the release's profile
	DB      *database.Server
	Clock   Clock // default: the wall clock
	Pushes  Pushes
	// ManagementLog receives one line a push, as the management server logs it.
	ManagementLog io.Writer
	Log           *slog.Logger
	// Listen and ListenIntegration are host:port of the API and of the unauthenticated port; default 127.0.0.1:0.
	Listen, ListenIntegration string
	// Seed makes uuids, secrets and MACs repeatable.
	Seed int64
	// Bare opens a management server without a zone: one is set up through the API.
	Bare bool
	// Load is how busy the management server is.
	Load Load
	// Settings are values of the configuration that the server starts with, by name.
	Settings map[string]string
}

// Zone is a running lab zone.
type Zone struct {
	opts                Options
	version             string // the release
	seed                int64
	bare, created       bool // a server that was opened bare; its zone has been created
	startSettings       map[string]string
	pushes              Pushes
	managementLog       io.Writer
	userRole, adminRole string
	tenancyHooks        tenancyHooks
	netHooks            netHooks
	computeHooks        computeHooks
	firewallHooks       firewallHooks
	lbHooks             lbHooks
	knobs               release.Knobs
	clock               Clock
	load                *loaded
	store               *store
	log                 *slog.Logger
	http                *api.Server

	// background outlives calls: jobs, tasks. Cancelled by Close, which then waits for working.
	background context.Context
	stop       context.CancelFunc
	working    sync.WaitGroup
	planned    chan struct{}
	advancing  sync.Mutex

	randMu sync.Mutex
	rand   *rand.Rand

	registry map[string]*bound
	order    []bound
	finders  map[string]func(uuid string) bool

	mu         sync.Mutex // guards all below; held while a command works, released while a push is on its way
	idle       *sync.Cond // signalled when a job ends
	domains    []*Domain
	accounts   []*Account
	users      []*User
	vpcs       []*VPC
	networks   []*Network
	routers    []*Router
	balancers  []*Router // VMs of internal load balancing
	certs      []*certificate
	hosts      []*Host
	addresses  []*Address
	vms        []*VM
	volumes    []*Volume
	lbRules    []*LBRule
	pfRules    []*PFRule
	fwRules    []*rule
	counters   []*Counter
	conditions []*Condition
	policies   []*ScalePolicy
	profiles   []*ScaleProfile
	groups     []*Group
	vpnUsers   []*VPNUser
	nics       map[nicKey]routerNIC
	lanes      map[int64]*lane
	mocks      []*mock
	// lastMock numbers the mocks.
	lastMock int64
	// previous is the last content built for each router; push-stale sends it once more.
	previous map[int64]json.RawMessage
	// lastPolicy is the last policy that each rule was pushed with, onceDisabled the rules whose group was ever disabled,
	// ghosts the deleted rules: what planted faults remember.
	lastPolicy   map[string][]stickinessTO
	onceDisabled map[string]bool
	ghosts       []*LBRule
	// memberRows are the rows of groups' members by VM id, scaling the monitors' memory by group id, quiet the last quiet
	// time by policy id.
	memberRows map[int64]int64
	scaling    map[int64]*scaling
	quiet      map[int64]time.Time
	evaluating bool
	// late are the pushes that the next stickiness change of their router may overtake, by router id.
	late map[int64]*latePush

	serviceOfferings []*Offering
	networkOfferings []*Offering
	vpcOfferings     []*Offering
	diskOfferings    []*Offering
	templates        []*Offering
	site             *Site
	systemCaller     Caller
	system           *User // what the integration port and background work act as
	admin            *User
	events           []*Event
	jobs             map[string]*job
	tails            map[string]chan struct{} // last job of each sync key
	running          int
	closing          bool
	tasks            []*task
	taskSeq          int64
	ids              map[string]int64 // sequences of tables that are not mirrored
	limits           map[limitKey]int64
	defaultLimits    defaultLimits
	config           []*Setting
	// deployed is nil but on a server that was opened bare.
	deployed *deployment
	usages   []*usageProcess // running usage servers, oldest first
	// usagePID is the process id of the last usage server.
	usagePID int
	// keepRules: deleted rules keep their row, with a removal date (KeepDeletedRules).
	keepRules bool
}

// Site is the one zone ("Sandbox-simulator") with what hangs on it.
type Site struct {
	ID                                      int64
	UUID                                    string
	Token                                   string
	PodUUID, PhysicalNetworkUUID, VLANUUID  string
	PublicNetwork, ControlNetwork           *Network
	RouterOffering, RouterTemplate, VMImage *Offering
	OSType                                  string
	BackupOffering                          string
}

type command = Command[*Zone]
