package kernel

import (
	"context"

	"github.com/stackproof/stackproof/release"
)

// kind says how a command answers.
type kind int

const (
	// SyncCommand answers with its result at once.
	SyncCommand kind = iota
	// AsyncCommand answers with a jobid; the result is the job's.
	AsyncCommand
	// AsyncCreate answers with id and jobid: the object exists before the job runs.
	AsyncCreate
)

// Param is one parameter of a command, as listApis describes it.
type Param struct {
	Name string
	// listApis' words: uuid, string, integer, long, boolean, list, map, date; "uuid:network" also names what it must be
	Type     string
	Required bool
	About    string
	// Empty: an empty word is a list without elements, and not the lack of a list.
	Empty bool
	// With is the knob of the releases that have the parameter; "" for all.
	With release.Knob
	// Root: anybody else's is passed over in silence (authorized = Admin; ParamProcessWorker.java@4.20.3.0).
	Root bool
}

// Takes says whether a command of the zone's release takes the parameter.
func (k *Kernel) Takes(p Param) bool { return p.With == "" || k.On(p.With) }

// Has says whether the zone's release has a command.
func (k *Kernel) Has(c *Bound) bool { return c != nil && (c.With == "" || k.On(c.With)) }

// Owner is the account that an event or a usage event belongs to.
type Owner interface {
	// OwnerID and DomainID are internal ids.
	OwnerID() int64
	DomainID() int64
}

// Caller is the user who makes a call.
type Caller interface {
	UserID() int64
	Owner() Owner
	// Privileged is true for admins of the root or of a domain.
	Privileged() bool
	// Root is true for admins of the root.
	Root() bool
}

// Command is one API command of a room M. The zone's lock is held while create and run work; a push releases it
// meanwhile.
type Command[M any] struct {
	Name     string
	About    string
	Root     string // key of the answer's root; default: lower-case name + "response"
	Class    string // Java class that queryAsyncJobResult names
	Kind     kind
	Params   []Param
	Instance string // jobinstancetype; "" leaves it out
	Event    string // event type; "" writes no event rows
	Eventful eventKind
	Admin    bool // refused to plain users (432)
	// With is the knob of the releases that have the command; "" for all.
	With release.Knob

	// Check refuses a call before anything is persisted or queued; nil checks nothing beyond the parameters.
	Check func(m M, c *Call) error
	// Create is the create phase of an asyncCreate command: persists the object and returns it.
	Create func(m M, c *Call) (Created, error)
	// Run is the work: a sync command's answer below the root, or the job result.
	Run func(m M, c *Call) (obj, error)
	// Sync names what jobs are serialised on ("network:212"); "" does not serialise.
	Sync func(m M, c *Call) string
	// Subject is what the event rows from the Scheduled one on name; nil leaves it to what check and create found.
	// Later is the resource type of the rows after the Scheduled one where it differs.
	Subject func(m M, c *Call) Subject
	Later   string
	// Describe is the whole text of the Scheduled event row ("deleting load balancer: 6"); internal ids may be used.
	Describe func(m M, c *Call) string
	// Action is how the other rows begin ("deleting load balancer"), creating the same for the row of the create phase
	// where it differs, detail what follows after ". " ("Load balancer ID: 6"); it is asked again for each row.
	Action, Creating string
	Detail           func(m M, c *Call) string
}

// Bound is a command of any room, as the registry holds it.
type Bound = Command[*Kernel]

// Bind makes the commands of a room's table call the room.
func Bind[M any](m M, table []Command[M]) []Bound {
	all := make([]Bound, len(table))
	for i, c := range table {
		all[i] = Bound{
			Name: c.Name, About: c.About, Root: c.Root, Class: c.Class, Kind: c.Kind, Params: c.Params,
			Instance: c.Instance,
			Event:    c.Event, Eventful: c.Eventful, Admin: c.Admin, Action: c.Action, Creating: c.Creating,
			Check: bind(m, c.Check), Sync: bind(m, c.Sync), Describe: bind(m, c.Describe), Detail: bind(m, c.Detail),
			With: c.With, Subject: bind(m, c.Subject), Later: c.Later, Create: bindFailing(m, c.Create),
			Run: bindFailing(m, c.Run),
		}
	}
	return all
}

func bind[M, T any](m M, f func(M, *Call) T) func(*Kernel, *Call) T {
	if f == nil {
		return nil
	}
	return func(_ *Kernel, c *Call) T { return f(m, c) }
}

func bindFailing[M, T any](m M, f func(M, *Call) (T, error)) func(*Kernel, *Call) (T, error) {
	if f == nil {
		return nil
	}
	return func(_ *Kernel, c *Call) (T, error) { return f(m, c) }
}

// Subject is what event rows name. Empty fields leave what the call has.
type Subject struct {
	Owner    Owner  // whose account the Scheduled row names
	Kind     string // resource type
	Resource int64  // internal id
	// Target is the object that texts and listEvents name.
	Target Created
}

// Named is the subject of an object that has a row and a uuid.
func Named(kind string, id int64, uuid string, owner Owner) Subject {
	return Subject{Owner: owner, Kind: kind, Resource: id, Target: Created{UUID: uuid, ID: id}}
}

// Created is what a create phase leaves: the public id and the internal one.
type Created struct {
	UUID string
	ID   int64
}

// eventKind is the row pattern in cloud.event (facts: ActionEventInterceptor.java@4.20.0.0).
type eventKind int

const (
	// EventSync: Completed only.
	EventSync eventKind = iota
	// EventAsync: Scheduled, Started, Completed.
	EventAsync
	// EventCreateAsync: Created, Scheduled, Started, Completed.
	EventCreateAsync
	// EventCreateOnly: Created, Scheduled; the execute phase has no annotation (createCondition).
	EventCreateOnly
	// EventUnstarted: Scheduled, Completed (deleteVPC, restartVPC).
	EventUnstarted
	// EventCreatePlain: Completed in the create phase, then Scheduled (createLoadBalancerRule).
	EventCreatePlain
)

// Call is one invocation.
type Call struct {
	Ctx    context.Context
	k      *Kernel
	Cmd    *Bound
	Params map[string]string // lower-case names; maps keep their index: "param[0].name"
	Caller Caller
	// Target is what create persisted, for the run phase.
	Target Created
	// EventResource is the internal id and type that the event rows name.
	EventResource     int64
	EventResourceType string
	// Owner is whose account the Scheduled row names; nil means the caller's, which the other rows name in any case.
	Owner Owner
	// startID is the first event row of the call, which the later rows point at.
	startID int64
	// EventFine makes a failing job's last row a success: the manager answered false without an exception.
	EventFine bool
	// lacking is a filter of the call that the lab cannot apply.
	lacking string
	Job     *Job
}
