package cloud

import (
	"context"
	"net/http"
	"time"
)

// Success is the result of jobs that return no object.
type Success struct {
	Success bool `json:"success"`
}

// Object is object, for the test of recorded synchronous creates.
func Object(ctx context.Context, c *Client, command string, p Params, into any) error {
	return c.object(ctx, command, p, into)
}

// IdleFor is how long the client keeps an unused connection.
func IdleFor(c *Client) time.Duration {
	t, ok := c.http.Transport.(*http.Transport)
	if !ok {
		return 0
	}
	return t.IdleConnTimeout
}
