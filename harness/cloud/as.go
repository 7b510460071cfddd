package cloud

// As is a client of the same server and settings for another user's keys.
func (c *Client) As(apiKey, secretKey string) (*Client, error) {
	o := c.opts
	o.APIKey, o.SecretKey = apiKey, secretKey
	o.Username, o.Password, o.Domain, o.Integration = "", "", "", false
	return New(o)
}
