package zone

import "context"

// kind says how a command answers.
type kind int

const (
	// syncCommand answers with its result at once.
	syncCommand kind = iota
	// asyncCommand answers with a jobid; the result is the job's.
	asyncCommand
	// asyncCreate answers with id and jobid: the object exists before the job runs.
	asyncCreate
)

// obj is a JSON object of an answer; nil values are left out when it is written.
type obj = map[string]any

// param is one parameter of a command, as listApis describes it.
type param struct {
	name     string
	typ      string // listApis' words: uuid, string, integer, long, boolean, list, map, date; "uuid:network" also names what it must be
	required bool
	about    string
}

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
}

// Command is one API command of a room M. The zone's lock is held while create and run work; a push releases it meanwhile.
type Command[M any] struct {
	name     string
	about    string
	root     string // key of the answer's root; default: lower-case name + "response"
	class    string // Java class that queryAsyncJobResult names
	kind     kind
	params   []param
	instance string // jobinstancetype; "" leaves it out
	event    string // event type; "" writes no event rows
	eventful eventKind
	admin    bool // refused to plain users (432)

	// check refuses a call before anything is persisted or queued; nil checks nothing beyond the parameters.
	check func(m M, c *call) error
	// create is the create phase of an asyncCreate command: persists the object and returns it.
	create func(m M, c *call) (created, error)
	// run is the work: a sync command's answer below the root, or the job result.
	run func(m M, c *call) (obj, error)
	// sync names what jobs are serialised on ("network:212"); "" does not serialise.
	sync func(m M, c *call) string
	// describe is the whole text of the Scheduled event row ("deleting load balancer: 6"); internal ids may be used.
	describe func(m M, c *call) string
	// action is how the other rows begin ("deleting load balancer"), creating the same for the row of the create phase
	// where it differs, detail what follows after ". " ("Load balancer ID: 6"); it is asked again for each row.
	action, creating string
	detail           func(m M, c *call) string
}

// bound is a command of any room, as the registry holds it.
type bound = Command[*Zone]

// created is what a create phase leaves: the public id and the internal one.
type created struct {
	uuid string
	id   int64
}

// eventKind is the row pattern in cloud.event (facts: ActionEventInterceptor.java@4.20.0.0).
type eventKind int

const (
	// eventSync: Completed only.
	eventSync eventKind = iota
	// eventAsync: Scheduled, Started, Completed.
	eventAsync
	// eventCreateAsync: Created, Scheduled, Started, Completed.
	eventCreateAsync
	// eventCreateOnly: Created, Scheduled; the execute phase has no annotation (createCondition).
	eventCreateOnly
	// eventUnstarted: Scheduled, Completed (deleteVPC, restartVPC).
	eventUnstarted
	// eventCreatePlain: Completed in the create phase, then Scheduled (createLoadBalancerRule).
	eventCreatePlain
)

// call is one invocation.
type call struct {
	ctx    context.Context
	z      *Zone
	cmd    *bound
	params map[string]string // lower-case names; maps keep their index: "param[0].name"
	caller Caller
	// target is what create persisted, for the run phase.
	target created
	// eventResource is the internal id and type that the event rows name.
	eventResource     int64
	eventResourceType string
	// owner is whose account the Scheduled row names; nil means the caller's, which the other rows name in any case.
	owner Owner
	// startID is the first event row of the call, which the later rows point at.
	startID int64
	// eventFine makes a failing job's last row a success: the manager answered false without an exception.
	eventFine bool
	job       *job
}
