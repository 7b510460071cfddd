package kernel

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
)

// Call carries out one API call of an authenticated user (an api.Backend's work). The answer is what stands below
// the root.
func (k *Kernel) Call(ctx context.Context, login any, name string, params map[string]string) (answer map[string]any,
	err error) {
	cmd := k.registry[name]
	if !k.Has(cmd) {
		return nil, &api.Error{Code: api.CodeUnsupported, CSCode: api.CSAPIException, Text: "Unknown API " +
			"command: " + name}
	}
	user := k.System
	if u, ok := login.(Caller); ok {
		user = u
	}
	c := &Call{Ctx: k.load.hold(ctx, name), k: k, Cmd: cmd, Params: params, Caller: user}
	k.Lock()
	defer k.Unlock()
	defer c.explained(&err)
	defer c.recovered(&err)
	if cmd.Admin && !user.Privileged() {
		return nil, &api.Error{Code: api.CodeUnauthorized, CSCode: api.CSAPIException,
			Text: fmt.Sprintf("The given command '%s' either does not exist, is not available for user.", name)}
	}
	c.noteUnknown()
	if err := c.validate(); err != nil {
		return nil, err
	}
	if cmd.Check != nil {
		if err := cmd.Check(c.k, c); err != nil {
			return nil, err
		}
	}
	switch cmd.Kind {
	case SyncCommand:
		if answer, err = cmd.Run(c.k, c); err == nil {
			err = c.lack()
		}
		if answer != nil || err != nil {
			c.eventDone(err)
		}
		return answer, err
	case AsyncCreate:
		c.Target, err = cmd.Create(c.k, c)
		c.eventCreated(err)
		if err != nil {
			return nil, err
		}
		if c.EventResource == 0 {
			c.EventResource = c.Target.ID
		}
	}
	j, err := submit(k, c)
	if err != nil {
		return nil, err
	}
	if cmd.Kind == AsyncCreate {
		return obj{"id": c.Target.UUID, "jobid": j.UUID}, nil
	}
	return obj{"jobid": j.UUID}, nil
}

// recovered turns a panic into the answer that an unforeseen Java exception gets; the log holds the stack.
func (c *Call) recovered(err *error) {
	if p := recover(); p != nil {
		c.k.Log.Error("a command panicked", "command", c.Cmd.Name, "panic", p, "stack", string(debug.Stack()))
		*err = api.Internal("Internal error executing command %s", c.Cmd.Name)
	}
}

// explained turns an error that is not the API's into a 530, and logs it: it is a fault of the zone or of its database.
func (c *Call) explained(err *error) {
	if *err == nil {
		return
	}
	var e *api.Error
	var refused *mysql.MySQLError
	switch {
	case errors.As(*err, &e):
	case errors.As(*err, &refused) && (refused.Number == 1366 || refused.Number == 1406):
		// what the tables' character set or width does not take
		*err = api.Internal("DB Exception: %s", refused.Message)
	default:
		c.k.Log.Error("a command failed", "command", c.Cmd.Name, "err", *err)
	}
	*err = AsAPI(*err)
}

// shownName is how errors of the parameter check name the command: the root without "response", cut blindly in 4.19
// (server/src/main/java/com/cloud/api/dispatch/ParamProcessWorker.java@4.19.1.0, @4.20.0.0).
func (c *Call) shownName() string {
	root := c.Cmd.Root
	if strings.HasSuffix(root, "response") || c.k.On(release.ErrorCommandCut) {
		return root[:max(len(root)-len("response"), 0)]
	}
	return root
}

// validate checks parameters in their declared order: presence, type, and that named entities exist.
func (c *Call) validate() error {
	for _, p := range c.Cmd.Params {
		if p.Root && !c.Caller.Root() {
			delete(c.Params, strings.ToLower(p.Name))
		}
		value, present := c.Params[strings.ToLower(p.Name)]
		if !present && p.Type == "map" {
			present = c.HasMap(p.Name)
		}
		if present && value == "" && p.Empty {
			continue
		}
		if !present || (value == "" && p.Type != "string" && p.Type != "map") {
			if p.Required {
				return api.BadParameter("Unable to execute API command %s due to missing parameter %s", c.shownName(),
					p.Name)
			}
			delete(c.Params, strings.ToLower(p.Name)) // an empty word for a number or an id is no word
			continue
		}
		if p.Required && value == "" && p.Type != "map" {
			return api.BadParameter("Unable to execute API command %s due to missing parameter %s", c.shownName(),
				p.Name)
		}
		if err := c.validateType(p, value); err != nil {
			return err
		}
	}
	return c.validatePaging()
}

func (c *Call) validateType(p Param, value string) error {
	typ, entity, _ := strings.Cut(p.Type, ":")
	if limit := maxLength(p.Name); len(value) > limit && typ != "list" && typ != "map" {
		return api.BadParameter("Unable to execute API command %s due to invalid value. Value greater than max "+
			"allowed length %d for param: %s", c.shownName(), limit, p.Name)
	}
	switch typ {
	case "integer", "short":
		if _, err := strconv.ParseInt(value, 10, 32); err != nil {
			return c.BadValue(p.Name, value)
		}
	case "long":
		if _, err := strconv.ParseInt(value, 10, 64); err != nil {
			return c.BadValue(p.Name, value)
		}
	case "date":
		if _, err := ParseDate(value); err != nil {
			return api.BadParameter("Unable to parse date %s for command %s, please pass dates in the format "+
				"mentioned in the api documentation", value, c.shownName())
		}
	case "uuid":
		everyProject := p.Name == "projectid" && value == "-1" // which lists take
		if entity != "" && !everyProject && !exists(c.k, entity, value) {
			return c.BadEntity(p.Name, value)
		}
	case "map":
		if _, plain := c.Params[strings.ToLower(p.Name)]; plain {
			return c.BadValue(p.Name, value)
		}
	case "list":
		if entity == "" {
			return nil
		}
		for _, one := range c.List(p.Name) {
			if !exists(c.k, entity, one) {
				return c.BadEntity(p.Name, one)
			}
		}
	}
	return nil
}

// maxLength is how long a parameter may be: 255 unless its annotation says otherwise.
func maxLength(name string) int {
	switch name {
	case "userdata":
		return 1 << 20
	case "description", "value":
		return 4096
	case "certificate", "privatekey", "certchain":
		return 16384
	}
	return 255
}

// BadValue refuses a value of a wrong form.
func (c *Call) BadValue(name, value string) error {
	return api.BadParameter("Unable to execute API command %s due to invalid value %s for parameter %s",
		c.shownName(), value, name)
}

// BadEntity refuses an id that nothing has.
func (c *Call) BadEntity(name, value string) error {
	return api.BadParameter("Unable to execute API command %s due to invalid value. Invalid parameter %s "+
		"value=%s due to incorrect long value format, or entity does not exist or due to incorrect parameter "+
		"annotation for the field in api cmd class.",
		c.shownName(), name, value)
}

const MaxPageSize = 500 // default.page.size

func (c *Call) validatePaging() error {
	page, hasPage := c.Params["page"]
	size, hasSize := c.Params["pagesize"]
	if hasSize && !hasPage && size != "-1" {
		return api.BadParameter(`"page" parameter is required when "pagesize" is specified`)
	}
	if hasPage && !hasSize {
		return api.BadParameter(`"pagesize" parameter is required when "page" is specified`)
	}
	if !hasSize {
		return nil
	}
	n, err := strconv.ParseInt(size, 10, 32)
	if err != nil {
		return c.BadValue("pagesize", size)
	}
	if hasPage {
		if _, err := strconv.ParseInt(page, 10, 32); err != nil {
			return c.BadValue("page", page)
		}
	}
	if n > MaxPageSize {
		return api.Invalid("Page size can't exceed max allowed page size value: %d", MaxPageSize)
	}
	if n == -1 && hasPage {
		return api.Invalid("Can't specify page parameter when pagesize is -1 (Unlimited)")
	}
	return nil
}

// tagged keeps what has one of the tags that the call names.
func (c *Call) tagged(items []obj) []obj {
	wanted := c.Entries("tags")
	if len(wanted) == 0 {
		return items
	}
	return slices.DeleteFunc(items, func(item obj) bool {
		tags, _ := item["tags"].([]obj)
		return !slices.ContainsFunc(tags, func(t obj) bool {
			return slices.ContainsFunc(wanted, func(w map[string]string) bool {
				return t["key"] == w["key"] && (w["value"] == "" || t["value"] == w["value"])
			})
		})
	})
}

// Page cuts a list answer: {"count":N,"<key>":[...]}, {} when nothing matched. The count is of all matches.
func (c *Call) Page(key string, items []obj) obj {
	items = c.byFields(c.tagged(items))
	total := len(items)
	if total == 0 {
		return obj{}
	}
	size := MaxPageSize
	if s, err := strconv.Atoi(c.Params["pagesize"]); err == nil {
		size = s
	}
	if size >= 0 {
		from := 0
		if n, err := strconv.Atoi(c.Params["page"]); err == nil && n > 0 {
			from = min(size*(n-1), total)
		}
		items = items[from:min(from+size, total)]
	}
	if len(items) == 0 {
		return obj{"count": total}
	}
	return obj{"count": total, key: items}
}

// AsAPI finds the API's form of any error: what is not one already is a 530 with its text.
func AsAPI(err error) *api.Error {
	var e *api.Error
	if errors.As(err, &e) {
		return e
	}
	return api.Internal("%s", err.Error())
}
