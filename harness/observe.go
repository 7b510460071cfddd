package harness

import (
	"context"
	"fmt"
	"time"

	"github.com/stackproof/stackproof/harness/result"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/router"
)

// What follows observes without judging: for scenarios that hold a model of their own against what is seen.

// Checked counts n expectations of the scenario's own.
func (t *T) Checked(n int) { t.watch.checks += n }

// Now is the database's time.
func (t *T) Now() time.Time { return t.now() }

// InternalID is the id of an object in a table of cloud, by its uuid, which must be asked while the object lives.
func (t *T) InternalID(table, uuid string) int64 { return t.internalID("cloud."+table, uuid) }

// Must ends the scenario as inconclusive when its work went wrong.
func (t *T) Must(err error, format string, a ...any) { t.must(err, format, a...) }

// UsageRun is Drain without a verdict: what was read, and what does not hold, but for defects that the release is known to have.
func (t *T) UsageRun() (usageprobe.Snapshot, []usageprobe.Violation) {
	defer t.step("usage run")()
	until := t.now()
	t.must(t.site.Usage.Cover(t.ctx, until), "waiting for a usage run that covers %s", stamp(until))
	t.read(until)
	return *t.watch.last, t.watch.unexpected(usageprobe.Invariants(t.watch.before, *t.watch.last, usageprobe.Touched{}))
}

// UsageEvidence shows the rows before and after the last usage run.
func (t *T) UsageEvidence() []result.Evidence { return t.watch.evidence() }

// filePeeker is a target whose routers' files can be read without bringing HAProxy to life.
type filePeeker interface {
	Peek(ctx context.Context, routerName string) (router.Files, error)
}

// RouterFaults says in what the network's router is not at its newest push, and its newest push not at what the API lists
// of the rules (all when none is given); empty when all agree. Unless it looks closely, HAProxy itself may be left out.
// Before the first push there is nothing to compare.
func (t *T) RouterFaults(n *Network, closely bool, rules ...*Rule) (wrong []string) {
	name := n.Router()
	push, ok := t.newestPush(name)
	if !ok {
		return nil
	}
	wrong = t.contentFaults(n, push, rules)
	rendered, err := t.site.Routers.Rendered(t.ctx, name)
	t.must(err, "rendering the newest push of router %s", name)
	var files router.Files
	if p, ok := t.site.Routers.(filePeeker); ok && !closely {
		files, err = p.Peek(t.ctx, name)
	} else {
		files, err = t.site.Routers.Files(t.ctx, name)
	}
	t.must(err, "reading the files of router %s", name)
	if !files.Attended && !closely { // nobody asked HAProxy itself
		files.MasterPID, files.Serving, files.Refusal = -1, files.Live, ""
	}
	if why := forceFaults(files, rendered); why != "" {
		wrong = append(wrong, fmt.Sprintf("router %s: %s", name, why))
		if files.Refusal != "" {
			wrong = append(wrong, files.Refusal)
		}
	}
	return wrong
}
