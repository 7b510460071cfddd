package kernel

import (
	"strconv"
	"strings"
	"time"

	"github.com/stackproof/stackproof/zone/api"
)

// Str is a parameter's value, "" when absent.
func (c *Call) Str(name string) string { return c.Params[strings.ToLower(name)] }

// Has reports whether a parameter was given, even empty.
func (c *Call) Has(name string) bool { _, ok := c.Params[strings.ToLower(name)]; return ok }

// Integer is a numeric parameter (already checked by its declared type), def when absent.
func (c *Call) Integer(name string, def int) int {
	if n, err := strconv.Atoi(c.Str(name)); err == nil {
		return n
	}
	return def
}

// Boolean is Java's Boolean.parseBoolean: true only for the word true; def when absent.
func (c *Call) Boolean(name string, def bool) bool {
	if v := c.Str(name); v != "" {
		return strings.EqualFold(v, "true")
	}
	return def
}

// Differs says whether a parameter was given and is another word than value, by the collation of the databases: upper
// and lower case are the same, and blanks at the end do not count.
func (c *Call) Differs(name, value string) bool {
	return c.Has(name) && !strings.EqualFold(strings.TrimRight(c.Str(name), " "), strings.TrimRight(value, " "))
}

// List splits a comma-separated parameter.
func (c *Call) List(name string) []string {
	var out []string
	for _, one := range strings.Split(c.Str(name), ",") {
		if one = strings.TrimSpace(one); one != "" {
			out = append(out, one)
		}
	}
	return out
}

// HasMap reports whether any "name[...]" parameter was given.
func (c *Call) HasMap(name string) bool {
	prefix := strings.ToLower(name) + "["
	for k := range c.Params {
		if strings.HasPrefix(k, prefix) {
			return true
		}
	}
	return false
}

// Entries gathers "name[0].key=value" in the order of the indexes: one map an index.
func (c *Call) Entries(name string) []map[string]string {
	prefix := strings.ToLower(name) + "["
	byIndex := map[string]map[string]string{}
	var order []string
	for k, v := range c.Params {
		rest, ok := strings.CutPrefix(k, prefix)
		if !ok {
			continue
		}
		index, key, ok := strings.Cut(rest, "].")
		if !ok {
			continue
		}
		if byIndex[index] == nil {
			byIndex[index] = map[string]string{}
			order = append(order, index)
		}
		byIndex[index][key] = v
	}
	sortIndexes(order)
	out := make([]map[string]string, len(order))
	for i, index := range order {
		out[i] = byIndex[index]
	}
	return out
}

// Find is the element with the uuid, removed ones included, as CloudStack resolves parameters.
func Find[T any](items []T, uuid string, id func(T) string) (T, bool) {
	for _, one := range items {
		if id(one) == uuid {
			return one, true
		}
	}
	var none T
	return none, false
}

// exists resolves an entity parameter.
func exists(k *Kernel, entity, uuid string) bool {
	f, ok := k.finders[entity]
	return ok && f(uuid)
}

// The typed parameter lookups. They fail like the parameter check when the entity went away between check and work.

func Lookup[T any](c *Call, name string, get func(string) *T) (*T, error) {
	if x := get(c.Str(name)); x != nil {
		return x, nil
	}
	return nil, c.BadEntity(name, c.Str(name))
}

// ParseDate reads the two date forms of listUsageRecords and listEvents, as UTC.
func ParseDate(s string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02", "2006-01-02T15:04:05-0700", time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, api.Invalid("date %s is neither yyyy-MM-dd nor yyyy-MM-dd HH:mm:ss", s)
}

// Stamp is how answers write a time.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05-0700") }
