package existing

import (
	"context"
	"fmt"

	"github.com/stackproof/stackproof/harness"
)

// openRouters looks at real routers where the configuration has a command that leads into them.
func (t *Target) openRouters(ctx context.Context) error {
	if t.config.Router.Mode != "command" {
		return nil
	}
	if t.opts.OpenRouters == nil {
		return fmt.Errorf("router: mode command is not built into this program")
	}
	rules := t.release
	if t.config.RouterProfile != "" {
		rules = t.config.RouterProfile
	}
	access := RouterAccess{Config: t.config, Cloud: t.cloud, Rules: rules}
	if t.watch != nil {
		access.Pushes = t.watch
	}
	routers, finding, err := t.opts.OpenRouters(ctx, access)
	if err != nil {
		return err
	}
	t.routers = routers
	t.found(finding)
	finding.Capability = harness.DataPlane
	t.found(finding)
	return nil
}
