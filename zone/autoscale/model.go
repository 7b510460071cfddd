package autoscale

import (
	"time"

	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/push"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// Counter, Condition, ScalePolicy, ScaleProfile and Group are the autoscale objects.
type Counter struct {
	ID                            int64
	UUID                          string
	Name, Source, Value, Provider string
}

// Condition compares a counter with a threshold.
type Condition struct {
	ID        int64
	UUID      string
	Counter   *Counter
	Operator  string
	Threshold int64
	Account   *tenancy.Account
}

// ScalePolicy is a scale-up or scale-down policy.
type ScalePolicy struct {
	ID         int64
	UUID       string
	Name       string
	Action     string // ScaleUp, ScaleDown
	Duration   int    // seconds
	Quiet      int    // seconds
	Conditions []*Condition
	Account    *tenancy.Account
}

// ScaleProfile says how members are deployed.
type ScaleProfile struct {
	ID       int64
	UUID     string
	Offering *net.Offering
	Template *net.Offering
	Account  *tenancy.Account
	Deploy   map[string]string
	Counter  map[string]string
	Grace    int // seconds
	UserID   *tenancy.User
}

// Group is an autoscale VM group.
type Group struct {
	ID          int64
	UUID        string
	Name        string
	Rule        *push.Rule
	Profile     *ScaleProfile
	Up, Down    []*ScalePolicy
	Min, Max    int
	Interval    int    // seconds
	State       string // NEW, ENABLED, DISABLED, SCALING, REVOKE
	Account     *tenancy.Account
	Members     []*compute.VM
	NextSeq     int
	Created     time.Time
	Removed     time.Time
	NextCheck   time.Time
	LastQuietUp time.Time
}

// Identity is the group's uuid and name; live is false for one that is removed.
func (g *Group) Identity() (uuid, name string, live bool) { return g.UUID, g.Name, g.Removed.IsZero() }

// Disabled says whether the group is switched off.
func (g *Group) Disabled() bool { return g.State == groupDisabled }

// Key is the uuid and the internal id.
func (x *Counter) Key() (uuid string, id int64) { return x.UUID, x.ID }

// Key is the uuid and the internal id.
func (x *Condition) Key() (uuid string, id int64) { return x.UUID, x.ID }

// Key is the uuid and the internal id.
func (x *ScalePolicy) Key() (uuid string, id int64) { return x.UUID, x.ID }

// Key is the uuid and the internal id.
func (x *ScaleProfile) Key() (uuid string, id int64) { return x.UUID, x.ID }

// Key is the uuid and the internal id.
func (x *Group) Key() (uuid string, id int64) { return x.UUID, x.ID }
