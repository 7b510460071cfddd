package routers

import (
	"context"

	"github.com/stackproof/stackproof/harness/filecheck"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/router"
)

// maker is a target that shows what its routers made of their newest pushes.
type maker interface {
	Made(ctx context.Context, routerName string) (push router.Push, file []byte, rendered router.Rendered, err error)
}

// fileLooks holds what routers made of their pushes against the pushes.
type fileLooks RouterLooks

// lookAtFile holds what a router made of its newest push against the push itself.
func (t fileLooks) lookAtFile(name string) {
	m, ok := t.site.Routers.(maker)
	if !ok {
		return
	}
	push, file, rendered, err := m.Made(t.ctx, name)
	t.Must(err, "reading what router %s made of its newest push", name)
	if file == nil || push.Raw == nil {
		return
	}
	has := func(k release.Knob) bool {
		return t.site.Has(k) && (k != release.KeepAliveLeaks || len(t.on.KeepAlive()) > 0)
	}
	wrong, err := filecheck.File(push.Raw, file, has, t.pushed.Names())
	t.Must(err, "holding the file of router %s against its push", name)
	doors, err := filecheck.Firewall(push.Raw, filecheck.Doors{Add: rendered.AddRules, Remove: rendered.RemoveRules,
		Stat: rendered.StatRules})
	t.Must(err, "holding the firewall of router %s against its push", name)
	t.tellFile(name, append(wrong, doors...), file, push)
}

// tellFile tells in what a file is not what its push orders, each thing once.
func (t fileLooks) tellFile(name string, wrong []string, file []byte, push router.Push) {
	if wrong = t.on.News("file of "+name, wrong); len(wrong) == 0 {
		return
	}
	says := "router " + name + " makes of its newest push what it does not order: "
	t.on.FindEach(result.WrongFile, SeenFile, says, wrong,
		result.Evidence{Kind: result.KindNote, Title: "haproxy.cfg of " + name, Text: string(file)},
		result.Evidence{Kind: result.KindPush, Title: "push to " + name, Text: string(push.Raw)})
}

// SeenFile is what a file that is not what its push orders is seen by: the difference, in words.
const SeenFile = "file"
