package cloud

import (
	"context"
	"encoding/json"
	"fmt"
)

// All calls any list command and returns the entries of all its pages as they were answered, for callers that treat
// objects of many kinds alike.
func (c *Client) All(ctx context.Context, command string, filter Params) ([]json.RawMessage, error) {
	inner, err := c.whole(ctx, command, everywhere(filter))
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := decode(command, inner, &fields); err != nil {
		return nil, err
	}
	if len(fields) == 0 {
		return nil, nil
	}
	key, list, count := listOf(inner)
	if key == "" && count == 0 && len(fields) == 1 && fields["count"] != nil {
		return nil, nil
	}
	if key == "" {
		return nil, fmt.Errorf("%s: %w", command, unexpected(command, "a list", inner))
	}
	return list, nil
}
