package zone

import (
	"context"
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

// event writes a row of cloud.event. Empty State means Completed, empty Level INFO, nil User and Account the system's.
func (z *Zone) event(ctx context.Context, e Event) (int64, error) {
	e.UUID, e.Created = z.uuid(), z.now()
	if e.State == "" {
		e.State = "Completed"
	}
	if e.Level == "" {
		e.Level = "INFO"
	}
	if e.User == nil {
		e.User = z.systemCaller
	}
	if e.Account == nil {
		e.Account = e.User.Owner()
	}
	var kind any
	if e.ResourceType != "" {
		kind = e.ResourceType
	}
	id, err := z.insert(ctx, "cloud.event", obj{
		"uuid": e.UUID, "type": e.Type, "state": e.State, "description": storable(e.Text, 1024), "user_id": e.User.UserID(),
		"account_id": e.Account.OwnerID(), "domain_id": e.Account.DomainID(), "resource_id": e.ResourceID, "resource_type": kind,
		"created": e.Created, "level": e.Level, "start_id": e.StartID, "archived": 0, "display": 1,
	})
	if err != nil {
		return 0, err
	}
	e.ID = id
	z.events = append(z.events, &e)
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

// usageEvent writes a row of cloud.usage_event. Fields are the table's further columns: resource_name, offering_id,
// template_id, size, resource_type, virtual_size; absent ones are NULL.
func (z *Zone) usageEvent(ctx context.Context, typ string, account Owner, zoneID, resourceID int64, fields obj) error {
	row := obj{"type": typ, "account_id": account.OwnerID(), "created": z.now(), "zone_id": zoneID, "resource_id": resourceID, "processed": 0}
	for k, v := range fields {
		row[k] = v
	}
	_, err := z.insert(ctx, "cloud.usage_event", row)
	return err
}

// eventRow writes one row of the call.
func (c *call) eventRow(state, text, level string) {
	account := c.caller.Owner()
	if state == "Scheduled" && c.owner != nil {
		account = c.owner
	}
	id, err := c.z.event(c.ctx, Event{
		Type: c.cmd.event, State: state, Level: level, Text: text, User: c.caller, Account: account,
		ResourceID: c.eventResource, ResourceType: c.eventResourceType, ResourceUUID: c.target.uuid, StartID: c.startID,
	})
	if err != nil {
		c.z.log.Error("writing an event", "command", c.cmd.name, "err", err)
		return
	}
	if c.startID == 0 {
		c.startID = id
	}
}

// text joins an annotation's words and the details that the manager left in the call.
func (c *call) text(words string) string {
	if c.cmd.detail == nil {
		return words
	}
	if d := c.cmd.detail(c.z, c); d != "" {
		return words + ". " + d
	}
	return words
}

func capitalize(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// eventCreated is written after the create phase, eventScheduled when the job is queued, eventStarted and eventDone
// around the work (facts: ActionEventInterceptor.java@4.20.0.0).
func (c *call) eventCreated(err error) {
	words := c.cmd.creating
	if words == "" {
		words = c.cmd.action
	}
	switch {
	case c.cmd.event == "":
	case c.cmd.eventful == eventCreatePlain && err != nil:
		c.eventRow("Completed", "Error while "+words, "ERROR")
	case c.cmd.eventful == eventCreatePlain:
		c.eventRow("Completed", c.text("Successfully completed "+words), "")
		c.startID = 0
	case (c.cmd.eventful == eventCreateAsync || c.cmd.eventful == eventCreateOnly) && err != nil:
		c.eventRow("Created", "Error while creating entity for "+words, "ERROR")
	case c.cmd.eventful == eventCreateAsync || c.cmd.eventful == eventCreateOnly:
		c.eventRow("Created", c.text("Successfully created entity for "+words), "")
	}
}

func (c *call) eventScheduled() {
	if c.cmd.event == "" || c.cmd.eventful == eventSync {
		return
	}
	words := c.cmd.action
	if c.cmd.describe != nil {
		words = c.cmd.describe(c.z, c)
	}
	c.eventRow("Scheduled", words, "")
}

func (c *call) eventStarted() {
	if c.cmd.event != "" && (c.cmd.eventful == eventAsync || c.cmd.eventful == eventCreateAsync) {
		c.eventRow("Started", c.text(capitalize(c.cmd.action)), "")
	}
}

func (c *call) eventDone(err error) {
	if c.cmd.event == "" || c.cmd.eventful == eventCreatePlain || c.cmd.eventful == eventCreateOnly {
		return
	}
	if err != nil && !c.eventFine {
		c.eventRow("Completed", c.text("Error while "+c.cmd.action), "ERROR")
		return
	}
	c.eventRow("Completed", c.text("Successfully completed "+c.cmd.action), "")
}
