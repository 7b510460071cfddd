package zone

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
)

// Version is the release.
func (z *Zone) Version() string { return z.version }

// register indexes the commands by name. Their order is that of listApis.
func (z *Zone) register(commands []bound) error {
	z.registry, z.order = map[string]*bound{}, commands
	for i := range z.order {
		cmd := &z.order[i]
		if cmd.root == "" {
			cmd.root = strings.ToLower(cmd.name) + "response"
		}
		if _, twice := z.registry[cmd.name]; twice {
			return fmt.Errorf("command %s is registered twice", cmd.name)
		}
		z.registry[cmd.name] = cmd
	}
	return nil
}

// Find tells the transport the root of a command's answers, and whether there is such a command.
func (z *Zone) Find(name string) (root string, ok bool) {
	cmd, ok := z.registry[name]
	if !ok {
		return "", false
	}
	return cmd.root, true
}

// Call carries out one API call of an authenticated user (an api.Backend's work). The answer is what stands below the root.
func (z *Zone) Call(ctx context.Context, login any, name string, params map[string]string) (answer map[string]any, err error) {
	cmd, ok := z.registry[name]
	if !ok {
		return nil, &api.Error{Code: api.CodeUnsupported, CSCode: api.CSAPIException, Text: "Unknown API command: " + name}
	}
	user := z.systemCaller
	if u, ok := login.(Caller); ok {
		user = u
	}
	c := &call{ctx: z.load.hold(ctx, name), z: z, cmd: cmd, params: params, caller: user}
	z.mu.Lock()
	defer z.mu.Unlock()
	defer c.explained(&err)
	defer c.recovered(&err)
	if cmd.admin && !user.Privileged() {
		return nil, &api.Error{Code: api.CodeUnauthorized, CSCode: api.CSAPIException,
			Text: fmt.Sprintf("The given command '%s' either does not exist, is not available for user.", name)}
	}
	c.noteUnknown()
	if err := c.validate(); err != nil {
		return nil, err
	}
	if cmd.check != nil {
		if err := cmd.check(c.z, c); err != nil {
			return nil, err
		}
	}
	switch cmd.kind {
	case syncCommand:
		answer, err = cmd.run(c.z, c)
		if answer != nil || err != nil {
			c.eventDone(err)
		}
		return answer, err
	case asyncCreate:
		c.target, err = cmd.create(c.z, c)
		c.eventCreated(err)
		if err != nil {
			return nil, err
		}
		if c.eventResource == 0 {
			c.eventResource = c.target.id
		}
	}
	j, err := z.submit(c)
	if err != nil {
		return nil, err
	}
	if cmd.kind == asyncCreate {
		return obj{"id": c.target.uuid, "jobid": j.uuid}, nil
	}
	return obj{"jobid": j.uuid}, nil
}

// recovered turns a panic into the answer that an unforeseen Java exception gets; the log holds the stack.
func (c *call) recovered(err *error) {
	if p := recover(); p != nil {
		c.z.log.Error("a command panicked", "command", c.cmd.name, "panic", p, "stack", string(debug.Stack()))
		*err = api.Internal("Internal error executing command %s", c.cmd.name)
	}
}

// explained turns an error that is not the API's into a 530, and logs it: it is a fault of the zone or of its database.
func (c *call) explained(err *error) {
	if *err == nil {
		return
	}
	var e *api.Error
	var refused *mysql.MySQLError
	switch {
	case errors.As(*err, &e):
	case errors.As(*err, &refused) && (refused.Number == 1366 || refused.Number == 1406):
		*err = api.Internal("DB Exception: %s", refused.Message) // what the tables' character set or width does not take
	default:
		c.z.log.Error("a command failed", "command", c.cmd.name, "err", *err)
	}
	*err = asAPI(*err)
}

// shownName is how errors of the parameter check name the command: the root without "response", cut blindly in 4.19
// (server/src/main/java/com/cloud/api/dispatch/ParamProcessWorker.java@4.19.1.0, @4.20.0.0).
func (c *call) shownName() string {
	root := c.cmd.root
	if strings.HasSuffix(root, "response") || c.z.knobs[release.ErrorCommandCut] {
		return root[:max(len(root)-len("response"), 0)]
	}
	return root
}

// validate checks parameters in their declared order: presence, type, and that named entities exist.
func (c *call) validate() error {
	for _, p := range c.cmd.params {
		value, present := c.params[strings.ToLower(p.name)]
		if !present && p.typ == "map" {
			present = c.hasMap(p.name)
		}
		if !present || (value == "" && p.typ != "string" && p.typ != "map") {
			if p.required {
				return api.BadParameter("Unable to execute API command %s due to missing parameter %s", c.shownName(), p.name)
			}
			delete(c.params, strings.ToLower(p.name)) // an empty word for a number or an id is no word
			continue
		}
		if p.required && value == "" && p.typ != "map" {
			return api.BadParameter("Unable to execute API command %s due to missing parameter %s", c.shownName(), p.name)
		}
		if err := c.validateType(p, value); err != nil {
			return err
		}
	}
	return c.validatePaging()
}

func (c *call) validateType(p param, value string) error {
	typ, entity, _ := strings.Cut(p.typ, ":")
	if limit := maxLength(p.name); len(value) > limit && typ != "list" && typ != "map" {
		return api.BadParameter("Unable to execute API command %s due to invalid value. Value greater than max allowed length %d for param: %s", c.shownName(), limit, p.name)
	}
	switch typ {
	case "integer", "short":
		if _, err := strconv.ParseInt(value, 10, 32); err != nil {
			return c.badValue(p.name, value)
		}
	case "long":
		if _, err := strconv.ParseInt(value, 10, 64); err != nil {
			return c.badValue(p.name, value)
		}
	case "date":
		if _, err := parseDate(value); err != nil {
			return api.BadParameter("Unable to parse date %s for command %s, please pass dates in the format mentioned in the api documentation", value, c.shownName())
		}
	case "uuid":
		if entity != "" && !c.z.exists(entity, value) {
			return c.badEntity(p.name, value)
		}
	case "map":
		if _, plain := c.params[strings.ToLower(p.name)]; plain {
			return c.badValue(p.name, value)
		}
	case "list":
		if entity == "" {
			return nil
		}
		for _, one := range c.list(p.name) {
			if !c.z.exists(entity, one) {
				return c.badEntity(p.name, one)
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
	case "certificate", "privatekey":
		return 16384
	}
	return 255
}

func (c *call) badValue(name, value string) error {
	return api.BadParameter("Unable to execute API command %s due to invalid value %s for parameter %s", c.shownName(), value, name)
}

func (c *call) badEntity(name, value string) error {
	return api.BadParameter("Unable to execute API command %s due to invalid value. Invalid parameter %s value=%s due to incorrect long value format, or entity does not exist or due to incorrect parameter annotation for the field in api cmd class.",
		c.shownName(), name, value)
}

const maxPageSize = 500 // default.page.size

func (c *call) validatePaging() error {
	page, hasPage := c.params["page"]
	size, hasSize := c.params["pagesize"]
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
		return c.badValue("pagesize", size)
	}
	if hasPage {
		if _, err := strconv.ParseInt(page, 10, 32); err != nil {
			return c.badValue("page", page)
		}
	}
	if n > maxPageSize {
		return api.Invalid("Page size can't exceed max allowed page size value: %d", maxPageSize)
	}
	if n == -1 && hasPage {
		return api.Invalid("Can't specify page parameter when pagesize is -1 (Unlimited)")
	}
	return nil
}

// page cuts a list answer: {"count":N,"<key>":[...]}, {} when nothing matched. The count is of all matches.
func (c *call) page(key string, items []obj) obj {
	total := len(items)
	if total == 0 {
		return obj{}
	}
	size := maxPageSize
	if s, err := strconv.Atoi(c.params["pagesize"]); err == nil {
		size = s
	}
	if size >= 0 {
		from := 0
		if n, err := strconv.Atoi(c.params["page"]); err == nil && n > 0 {
			from = min(size*(n-1), total)
		}
		items = items[from:min(from+size, total)]
	}
	if len(items) == 0 {
		return obj{"count": total}
	}
	return obj{"count": total, key: items}
}

// asAPI finds the API's form of any error: what is not one already is a 530 with its text.
func asAPI(err error) *api.Error {
	var e *api.Error
	if errors.As(err, &e) {
		return e
	}
	return api.Internal("%s", err.Error())
}
