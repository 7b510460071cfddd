package cloud

import (
	"context"
	"encoding/json"
	"fmt"
)

// Creating is an accepted create of a T: its ID is known, its job may still run.
type Creating[T any] struct {
	Pending
	read func(ctx context.Context, id string) (*T, error)
}

// Wait returns the object of the job's result. When the answer to the create was lost and the object was found by
// looking, its job is unknown: the object is then read back as it is at that moment.
func (c *Creating[T]) Wait(ctx context.Context) (*T, error) {
	if c.JobID == "" {
		return c.read(ctx, c.ID)
	}
	var object T
	if _, err := c.Pending.Wait(ctx, &object); err != nil {
		return nil, err
	}
	return &object, nil
}

func create[T any](ctx context.Context, c *Client, command string, p Params, look Look,
	read func(context.Context, string) (*T, error)) (*Creating[T], error) {
	pending, err := c.Create(ctx, command, p, look)
	if err != nil {
		return nil, err
	}
	return &Creating[T]{Pending: *pending, read: read}, nil
}

func unexpected(command, want string, got json.RawMessage) error {
	return fmt.Errorf("%s: the answer does not have the expected form: want %s, got %s", command, want, firstWords(got))
}
