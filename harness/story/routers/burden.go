package routers

import (
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/objects"
	"github.com/stackproof/stackproof/router"
)

// ExpectChange gives the rule its policy, or takes it away, and expects that this is carried out and in force, beside a
// rule that its router may not be able to serve.
func (t RouterLooks) ExpectChange(beside string, r *objects.Rule) {
	t.Checked(1)
	if refusal := r.TryToggle(); refusal != nil {
		t.Fail(result.SiblingsBlocked, fmt.Sprintf("%s: a change of %s was refused with %d: %s", beside, r.Called(),
			refusal.Code, refusal.Text))
		return
	}
	t.ExpectServed(beside, r)
}

// ExpectServed expects that a rule is in force on its router as the newest push has it, beside a rule that may be
// refused.
func (t RouterLooks) ExpectServed(beside string, r *objects.Rule) {
	defer t.Step("%s in force beside %s", r.Name, beside)()
	t.Checked(1)
	files, rendered := t.filesOf(r.Network.Router())
	section := r.Section()
	want, serving := router.Listens(rendered.File())[section], router.Listens(files.Serving)[section]
	switch {
	case files.Refusal != "":
		t.Fail(result.RouterFrozen, fmt.Sprintf("%s: HAProxy refuses the file, and %s is not in force: %s", beside,
			r.Called(),
			firstLine(files.Refusal)), result.Evidence{Kind: result.KindNote, Title: "what HAProxy says of " +
			beside, Text: files.Refusal})
	case files.MasterPID == 0:
		t.Fail(result.ProcessStale, fmt.Sprintf("%s: HAProxy does not run", beside))
	case !sameLines(want.Lines, serving.Lines):
		t.Fail(result.RouterStale, fmt.Sprintf("%s: section %s of %s is not in force as the newest push has it", beside,
			section, r.Called()))
	}
}

// ExpectSection expects that the router's live file has a listener for the rule, as HAProxy has them for TCP only, or
// that it has none.
func (t RouterLooks) ExpectSection(r *objects.Rule, there bool) {
	defer t.Step("listener of %s", r.Name)()
	t.Checked(1)
	files, _ := t.filesOf(r.Network.Router())
	section, has := router.Listens(files.Live)[r.Section()]
	switch {
	case has && !there:
		t.Fail(result.WrongProtocol, fmt.Sprintf("%s is a UDP rule, and the router serves it as a TCP listener",
			r.Called()), result.Evidence{Kind: result.KindNote, Title: "section " + section.Name,
			Text: strings.Join(section.Lines, "\n")})
	case there && (!has || len(section.Servers()) == 0):
		t.Fail(result.RouterStale, "the router's live file has no listener with servers for "+r.Called())
	}
}
