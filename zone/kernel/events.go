package kernel

import (
	"context"
	"maps"
	"strings"
	"time"
)

// Event is a row of cloud.event, what listEvents answers.
type Event struct {
	ID           int64
	UUID         string
	Type         string
	State        string // Created, Scheduled, Started, Completed
	Level        string // INFO, WARN, ERROR
	Text         string
	User         Caller
	Account      Owner
	ResourceID   int64
	ResourceType string
	ResourceUUID string // what listEvents shows; "" leaves it out
	StartID      int64
	Created      time.Time
}

// Event writes a row of cloud.event. Empty State means Completed, empty Level INFO, nil User and Account the system's.
func (k *Kernel) Event(ctx context.Context, e Event) (int64, error) {
	e.UUID, e.Created = k.UUID(), k.Now()
	if e.State == "" {
		e.State = "Completed"
	}
	if e.Level == "" {
		e.Level = "INFO"
	}
	if e.User == nil {
		e.User = k.System
	}
	if e.Account == nil {
		e.Account = e.User.Owner()
	}
	var kind any
	if e.ResourceType != "" {
		kind = e.ResourceType
	}
	id, err := k.Insert(ctx, "cloud.event", obj{
		"uuid": e.UUID, "type": e.Type, "state": e.State, "description": storable(e.Text, 1024),
		"user_id":    e.User.UserID(),
		"account_id": e.Account.OwnerID(), "domain_id": e.Account.DomainID(), "resource_id": e.ResourceID,
		"resource_type": kind,
		"created":       e.Created, "level": e.Level, "start_id": e.StartID, "archived": 0, "display": 1,
	})
	if err != nil {
		return 0, err
	}
	e.ID = id
	k.Events = append(k.Events, &e)
	return id, nil
}

// storable is what a column takes of a text: so many characters of at most three bytes.
func storable(s string, limit int) string {
	out := make([]rune, 0, min(len(s), limit))
	for _, r := range s {
		if len(out) == cap(out) {
			break
		}
		if r > 0xffff {
			r = '?'
		}
		out = append(out, r)
	}
	return string(out)
}

// UsageEvent writes a row of cloud.usage_event. Fields are the table's further columns: resource_name, offering_id,
// template_id, size, resource_type, virtual_size; absent ones are NULL.
func (k *Kernel) UsageEvent(ctx context.Context, typ string, account Owner, zoneID, resourceID int64,
	fields obj) error {
	return k.WriteUsage(ctx, UsageEvent{Type: typ, Owner: account, Zone: zoneID, Resource: resourceID, Fields: fields})
}

// UsageEvent is a row of cloud.usage_event to be written.
type UsageEvent struct {
	Type           string
	Owner          Owner
	Zone, Resource int64  // internal ids
	Fields         obj    // further columns
	Why            string // one of the reasons below; planted faults tell events apart by it
}

// Why a usage event is written, where its type does not say it.
const (
	WhyReleased  = "released"   // the rule went with its address, network or account
	WhyUndone    = "undone"     // the rule's creation failed
	WhyWithVM    = "with-vm"    // the volume went with its VM
	WhyNeverUsed = "never-used" // the volume was never attached
	WhyRecovered = "recovered"  // the volume came back with its VM
	WhyInternal  = "internal"   // the rule is one of an internal load balancer
)

// WriteUsage writes a usage event.
type WriteUsage func(ctx context.Context, e UsageEvent) error

// WriteUsage writes a usage event through the wrappers of WrapUsage.
func (k *Kernel) WriteUsage(ctx context.Context, e UsageEvent) error { return k.usage(ctx, e) }

// WrapUsage puts a wrapper around the writing of usage events.
func (k *Kernel) WrapUsage(wrap func(next WriteUsage) WriteUsage) { k.usage = wrap(k.usage) }

func insertUsage(ctx context.Context, k *Kernel, e UsageEvent) error {
	row := obj{
		"type": e.Type, "account_id": e.Owner.OwnerID(), "created": k.Now(), "zone_id": e.Zone,
		"resource_id": e.Resource,
		"processed":   0,
	}
	maps.Copy(row, e.Fields)
	_, err := k.Insert(ctx, "cloud.usage_event", row)
	return err
}

// eventRow writes one row of the call.
func (c *Call) eventRow(state, text, level string) {
	account := c.Caller.Owner()
	if state == "Scheduled" && c.Owner != nil {
		account = c.Owner
	}
	id, err := c.k.Event(c.Ctx, Event{
		Type: c.Cmd.Event, State: state, Level: level, Text: text, User: c.Caller, Account: account,
		ResourceID: c.EventResource, ResourceType: c.EventResourceType, ResourceUUID: c.Target.UUID, StartID: c.startID,
	})
	if err != nil {
		c.k.Log.Error("writing an event", "command", c.Cmd.Name, "err", err)
		return
	}
	if c.startID == 0 {
		c.startID = id
	}
}

// Text joins an annotation's words and the details that the manager left in the call.
func (c *Call) Text(words string) string {
	if c.Cmd.Detail == nil {
		return words
	}
	if d := c.Cmd.Detail(c.k, c); d != "" {
		return words + ". " + d
	}
	return words
}

// Capitalize writes the first letter large.
func Capitalize(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// eventCreated is written after the create phase, eventScheduled when the job is queued, eventStarted and eventDone
// around the work (facts: ActionEventInterceptor.java@4.20.0.0).
func (c *Call) eventCreated(err error) {
	words := c.Cmd.Creating
	if words == "" {
		words = c.Cmd.Action
	}
	switch {
	case c.Cmd.Event == "":
	case c.Cmd.Eventful == EventCreatePlain && err != nil:
		c.eventRow("Completed", "Error while "+words, "ERROR")
	case c.Cmd.Eventful == EventCreatePlain:
		c.eventRow("Completed", c.Text("Successfully completed "+words), "")
		c.startID = 0
	case (c.Cmd.Eventful == EventCreateAsync || c.Cmd.Eventful == EventCreateOnly) && err != nil:
		c.eventRow("Created", "Error while creating entity for "+words, "ERROR")
	case c.Cmd.Eventful == EventCreateAsync || c.Cmd.Eventful == EventCreateOnly:
		c.eventRow("Created", c.Text("Successfully created entity for "+words), "")
	}
}

func (c *Call) eventScheduled() {
	if c.Cmd.Event == "" || c.Cmd.Eventful == EventSync {
		return
	}
	c.subject()
	words := c.Cmd.Action
	if c.Cmd.Describe != nil {
		words = c.Cmd.Describe(c.k, c)
	}
	c.eventRow("Scheduled", words, "")
	if c.Cmd.Later != "" {
		c.EventResourceType = c.Cmd.Later
	}
}

func (c *Call) subject() {
	if c.Cmd.Subject != nil {
		c.Concerns(c.Cmd.Subject(c.k, c))
	}
}

func (c *Call) eventStarted() {
	if c.Cmd.Event != "" && (c.Cmd.Eventful == EventAsync || c.Cmd.Eventful == EventCreateAsync) {
		c.eventRow("Started", c.Text(Capitalize(c.Cmd.Action)), "")
	}
}

func (c *Call) eventDone(err error) {
	if c.Cmd.Event == "" || c.Cmd.Eventful == EventCreatePlain || c.Cmd.Eventful == EventCreateOnly {
		return
	}
	if c.Cmd.Eventful == EventSync {
		c.subject()
	}
	if err != nil && !c.EventFine {
		c.eventRow("Completed", c.Text("Error while "+c.Cmd.Action), "ERROR")
		return
	}
	c.eventRow("Completed", c.Text("Successfully completed "+c.Cmd.Action), "")
}
