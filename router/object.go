package router

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// object reads a JSON object field by field and remembers the first fault with its path. encoding/json alone cannot:
// the log writes numbers and booleans as strings, and its errors do not say which element of a list they mean.
type object struct {
	path   string
	fields map[string]json.RawMessage
	fault  *error // shared by an object and all that is read from it
}

func newObject(path string, raw json.RawMessage) (*object, error) {
	o := &object{path: path, fault: new(error)}
	if kindOf(raw) != "object" {
		return nil, fmt.Errorf("%sa JSON %s, want an object", prefix(path), kindOf(raw))
	}
	if err := json.Unmarshal(raw, &o.fields); err != nil {
		return nil, fmt.Errorf("%s%w", prefix(path), err)
	}
	return o, nil
}

func prefix(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}

// kindOf names the JSON type of a valid value.
func kindOf(raw json.RawMessage) string {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	if len(raw) == 0 {
		return "nothing"
	}
	switch raw[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	default:
		return "number"
	}
}

func (o *object) err() error { return *o.fault }

func (o *object) at(name string) string {
	if o.path == "" {
		return name
	}
	return o.path + "." + name
}

func (o *object) fail(name, format string, args ...any) {
	if *o.fault == nil {
		*o.fault = fmt.Errorf("%s: %s", o.at(name), fmt.Sprintf(format, args...))
	}
}

// has says whether the field is there and not null.
func (o *object) has(name string) bool {
	raw, ok := o.fields[name]
	return ok && kindOf(raw) != "null"
}

// text gives a scalar as text; absent when there is none.
func (o *object) text(name, absent string) string {
	if !o.has(name) {
		return absent
	}
	s, ok := scalar(o.fields[name])
	if !ok {
		o.fail(name, "a JSON %s, want a text", kindOf(o.fields[name]))
	}
	return s
}

func scalar(raw json.RawMessage) (string, bool) {
	switch kindOf(raw) {
	case "string":
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err == nil
	case "number", "boolean":
		return string(bytes.TrimSpace(raw)), true
	default:
		return "", false
	}
}

func (o *object) required(name string) string {
	s := o.text(name, "")
	if s == "" {
		o.fail(name, "missing")
	}
	return s
}

func (o *object) port(name string) int {
	s := o.required(name)
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		o.fail(name, "%q is not a port, want 0 to 65535", s)
	}
	return int(n)
}

func (o *object) flag(name string) bool {
	switch s := o.text(name, "false"); s {
	case "true":
		return true
	case "false":
	default:
		o.fail(name, "%q is neither true nor false", s)
	}
	return false
}

// number gives a whole number.
func (o *object) number(name string, absent int64) int64 {
	s := o.text(name, "")
	if s == "" {
		return absent
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		o.fail(name, "%q is not a whole number", s)
	}
	return n
}

// objects gives the elements of a list of objects; a null element is left out, as the generator skips it.
func (o *object) objects(name string) []*object {
	if !o.has(name) {
		return nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(o.fields[name], &items); err != nil {
		o.fail(name, "a JSON %s, want an array", kindOf(o.fields[name]))
		return nil
	}
	var list []*object
	for i, raw := range items {
		if kindOf(raw) == "null" {
			continue
		}
		element := fmt.Sprintf("%s[%d]", name, i)
		child, err := newObject(o.at(element), raw)
		if err != nil {
			o.fail(element, "a JSON %s, want an object", kindOf(raw))
			return list
		}
		child.fault = o.fault
		list = append(list, child)
	}
	return list
}

// child gives a field that is an object, nil when there is none.
func (o *object) child(name string) *object {
	if !o.has(name) {
		return nil
	}
	child, err := newObject(o.at(name), o.fields[name])
	if err != nil {
		o.fail(name, "a JSON %s, want an object", kindOf(o.fields[name]))
		return nil
	}
	child.fault = o.fault
	return child
}

// texts gives an object of scalars as a map, nil when there is none.
func (o *object) texts(name string) map[string]string {
	child := o.child(name)
	if child == nil {
		return nil
	}
	m := make(map[string]string, len(child.fields))
	for key := range child.fields {
		m[key] = child.text(key, "")
	}
	return m
}
