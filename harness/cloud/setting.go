package cloud

import "context"

// Setting reads a global setting; found is false where the server does not list it.
func (c *Client) Setting(ctx context.Context, name string) (value string, found bool, err error) {
	all, err := c.ListConfigurations(ctx, Params{"name": name})
	for _, one := range all {
		if one.Name == name {
			return one.Value, true, nil
		}
	}
	return "", false, err
}
