package existing

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/existing/clock"
)

// userURL is the address at which customers' keys are known. The integration port takes everybody for the system, so a
// server that is reached through it must tell its own address: endpoint.url, which says localhost on most
// (ApiServiceConfiguration.java@4.20.0.0).
func userURL(ctx context.Context, o cloud.Options) (string, error) {
	const remedy = "give the API's own address too (api.user_url, --user-url), or set endpoint.url"
	admin, err := cloud.New(o)
	if err != nil {
		return "", err
	}
	defer func() { _ = admin.Close(context.WithoutCancel(ctx)) }()
	endpoint, told, err := admin.Setting(ctx, "endpoint.url")
	switch {
	case cloud.IsUnauthorized(err):
		return "", fmt.Errorf("%s refuses calls without keys: it is not the integration port", admin.URL())
	case err != nil:
		return "", fmt.Errorf("the integration port does not answer: check the URL, and that integration.api.port "+
			"is set: %w", err)
	case !told:
		return "", errors.New("the integration port knows no customers: " + remedy)
	}
	found, err := fromElsewhere(endpoint, admin.URL())
	if err == nil {
		err = answers(ctx, o, found)
	}
	if err != nil {
		return "", fmt.Errorf("the integration port knows no customers, and endpoint.url is %q: %w: %s", endpoint, err,
			remedy)
	}
	return found, nil
}

// fromElsewhere puts the host of an address that is known to work in the place of a loopback one.
func fromElsewhere(endpoint, works string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", errors.New("this is no address")
	}
	there, err := url.Parse(works)
	if err != nil {
		return "", fmt.Errorf("the integration port's address: %w", err)
	}
	if ip, err := netip.ParseAddr(u.Hostname()); u.Hostname() == "localhost" || err == nil && ip.IsLoopback() {
		host := there.Hostname()
		if u.Port() != "" {
			host = net.JoinHostPort(host, u.Port())
		}
		u.Host = host
	}
	return u.String(), nil
}

// answers makes sure that an API is there, and not somebody else's page.
func answers(ctx context.Context, o cloud.Options, at string) error {
	c, err := clock.NewAPI(o, at)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err = c.Once(ctx); errors.Is(err, clock.ErrNoDate) {
		return nil
	}
	return err
}
