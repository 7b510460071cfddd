package cloud

import "errors"

// As is a client of the same server with another user's keys. It shares connections, trace and the budget for job polls
// with c: however many users a run has, the server sees the polls of one client. Closing c closes the connections of
// both.
func (c *Client) As(apiKey, secretKey string) (*Client, error) {
	o := c.opts
	if o.Integration {
		if o.UserURL == "" {
			return nil, errors.New("cloud: the integration port knows no users and would act as the system: give " +
				"the address of the API")
		}
		o.URL, o.Integration = o.UserURL, false
	}
	o.APIKey, o.SecretKey = apiKey, secretKey
	o.Username, o.Password, o.Domain = "", "", ""
	if err := o.Check(); err != nil {
		return nil, err
	}
	if c.trace != nil {
		c.trace.hide(apiKey, secretKey)
	}
	return &Client{opts: o, http: c.http, closeIdle: func() {}, trace: c.trace, session: &session{}, polls: c.polls,
		pace: c.pace, seen: c.seen}, nil
}
