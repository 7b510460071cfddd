package cloud

import (
	"context"
	"fmt"
)

// Resource types that may be limited (api/src/main/java/com/cloud/configuration/Resource.java@4.20.0.0).
const (
	limitVM             = 0
	limitAddress        = 1
	limitVolume         = 2
	limitNetwork        = 6
	limitVPC            = 7
	limitCPU            = 8
	limitMemory         = 9
	limitPrimaryStorage = 10
)

// LiftLimits takes the limits away from a domain, or from an account of it. A new account may have 20 instances,
// addresses, networks and VPCs, and all accounts of a domain together 40 (max.account.*, max.domain.*,
// Config.java@4.20.0.0).
func (c *Client) LiftLimits(ctx context.Context, domainID, account string) error {
	for _, typ := range []int{limitVM, limitAddress, limitVolume, limitNetwork, limitVPC, limitCPU, limitMemory,
		limitPrimaryStorage} {
		p := Params{"resourcetype": typ, "max": -1}.set("domainid", domainID).set("account", account)
		if err := c.Change(ctx, "updateResourceLimit", p, nil); err != nil {
			return fmt.Errorf("lifting the limit of resource type %d: %w", typ, err)
		}
	}
	return nil
}
