package cloud

import (
	"context"
	"encoding/json"
	"fmt"
)

// Owner names the account that an object is made for; empty is the caller's.
type Owner struct{ Account, DomainID string }

func (o Owner) params(p Params) Params {
	return p.set("account", o.Account).set("domainid", o.DomainID)
}

// own lists the owner's objects and nobody else's, whoever the caller is.
func (o Owner) own() Params {
	if o.Account != "" {
		return o.params(Params{"listall": true})
	}
	return Params{"listall": false}
}

// one reads one object by its id.
func one[T any](list func(context.Context, Params) ([]*T, error), command, field string) func(context.Context,
	string) (*T, error) {
	return func(ctx context.Context, id string) (*T, error) {
		got, err := list(ctx, Params{field: id})
		if err == nil && len(got) != 1 {
			err = fmt.Errorf("%s: %s %s: %d objects", command, field, id, len(got))
		}
		if err != nil {
			return nil, err
		}
		return got[0], nil
	}
}

// lookFor is a Look over a list.
func lookFor[T any](list func(context.Context, Params) ([]*T, error), filter Params, is func(*T) (string, bool)) Look {
	return func(ctx context.Context) (bool, string, error) {
		got, err := list(ctx, filter)
		for _, x := range got {
			if id, ok := is(x); ok {
				return true, id, nil
			}
		}
		return false, "", err
	}
}

// createNow makes a synchronous create. A lost answer is decided as in Start.
func createNow[T any](ctx context.Context, c *caller, command string, p Params, look Look,
	read func(context.Context, string) (*T, error)) (*T, error) {
	var object T
	id, err := c.certainly(ctx, command, look, func() error { return c.object(ctx, command, p, &object) })
	if err != nil {
		return nil, err
	}
	if id != "" {
		return read(ctx, id)
	}
	return &object, nil
}

// changed makes an asynchronous change of the object id and returns the object of the job's result.
func changed[T any](ctx context.Context, c *caller, command, id string, change Params) (*T, error) {
	p := Params{"id": id}
	for k, v := range change {
		p[k] = v
	}
	var object T
	if _, err := c.Job(ctx, command, p, &object); err != nil {
		return nil, err
	}
	return &object, nil
}

// unseen is a Look over objects without names: one that fits and that no answer has told of.
func unseen[T any](c *caller, list func(context.Context, Params) ([]*T, error), filter Params,
	is func(*T) (string, bool)) Look {
	return lookFor(list, filter, func(x *T) (string, bool) {
		id, ok := is(x)
		return id, ok && !c.seen.has(id)
	})
}

// finish makes an asynchronous call on the object id and waits for its success.
func (c *caller) finish(ctx context.Context, command, id string, more Params) error {
	p := Params{"id": id}
	for k, v := range more {
		p[k] = v
	}
	_, err := c.Job(ctx, command, p, nil)
	return err
}

// object makes a call whose answer is one object under one key, whatever that is called.
func (c *caller) object(ctx context.Context, command string, p Params, into any) error {
	var inner json.RawMessage
	err := c.repeated(ctx, command, func() (err error) {
		inner, err = c.raw(ctx, command, p, c.opts.Retries)
		return err
	})
	if err != nil {
		return err
	}
	var fields map[string]json.RawMessage
	if err := decode(command, inner, &fields); err != nil {
		return err
	}
	if len(fields) != 1 {
		return unexpected(command, "one object", inner)
	}
	for _, v := range fields {
		return decode(command, v, into)
	}
	return nil
}

// succeed makes a call that answers success, as a bool or as text.
func (c *caller) succeed(ctx context.Context, command string, p Params) error {
	var r struct {
		Success any    `json:"success"`
		Text    string `json:"displaytext"`
	}
	if err := c.Change(ctx, command, p, &r); err != nil {
		return err
	}
	if r.Success == true || r.Success == "true" {
		return nil
	}
	return &Error{Command: command, Status: 200, Code: CodeInternal,
		Text: orWord(r.Text, "the answer is success=false")}
}
