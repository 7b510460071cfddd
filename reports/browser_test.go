package reports

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/result"
)

// browserTime bounds one test's browser, start included.
const browserTime = 2 * time.Minute

// browser is a page in a real Chromium, and what its console said.
type browser struct {
	t   *testing.T
	ctx context.Context

	listening chan struct{} // closed when nobody listens any more

	mu       sync.Mutex
	problems []string
}

// browse opens a report in Debian's headless Chromium (ci/setup chromium installs it).
func browse(t *testing.T, page []byte) *browser {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	require.NotEmpty(t, program, "no Chromium: ci/setup chromium installs it")
	file := filepath.Join(t.TempDir(), "report.html")
	require.NoError(t, os.WriteFile(file, page, 0o600))
	opts := append(
		chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.NoSandbox,
		chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-breakpad", true),
	)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), browserTime)
	t.Cleanup(cancel)
	ctx, end := chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(end)
	ctx, shut := chromedp.NewContext(ctx)
	b := &browser{t: t, ctx: ctx, listening: make(chan struct{})}
	b.run(chromedp.EmulateViewport(1280, 900))
	console := chromedp.Console(ctx)
	go b.listen(console)
	t.Cleanup(func() {
		shut()
		<-b.listening
	})
	b.run(chromedp.Navigate((&url.URL{Scheme: "file", Path: file}).String()), chromedp.WaitReady("footer"))
	return b
}

// listen notes all that the console says, a refusal by the content security policy among it.
func (b *browser) listen(console iter.Seq2[chromedp.ConsoleMessage, error]) {
	defer close(b.listening)
	for m, err := range console {
		if err != nil {
			return // the page was closed
		}
		b.mu.Lock()
		b.problems = append(b.problems, fmt.Sprintf("%s: %s", m.Type, m.Text))
		b.mu.Unlock()
	}
}

func (b *browser) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, actions...))
}

// ask evaluates an expression in the page.
func (b *browser) ask(expression string) string {
	b.t.Helper()
	answer, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("String("+expression+")"))
	require.NoError(b.t, err)
	return answer
}

// until waits until an expression is true: the browser goes to a link in its own time.
func (b *browser) until(expression, what string) {
	b.t.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.Poll[bool](expression))
	require.NoError(b.t, err, what)
}

// media has the page shown as on another medium.
func (b *browser) media(of emulation.SetEmulatedMediaParams) {
	b.t.Helper()
	b.run(chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
		_, err := cdp.Call(ctx, page, emulation.SetEmulatedMedia, of)
		return err
	}))
}

func (b *browser) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Empty(b.t, b.problems, "what the browser's console said")
}

// picture keeps a screenshot where SCREENSHOTS names a folder, as CI does.
func (b *browser) picture(name string) {
	b.t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	require.NoError(b.t, err)
	require.Greater(b.t, len(png), 5000, "the page is not blank")
	if dir := os.Getenv("SCREENSHOTS"); dir != "" {
		require.NoError(b.t, os.MkdirAll(dir, 0o755))
		require.NoError(
			b.t,
			os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644),
		) // for others to look at
	}
}

func webPage(t *testing.T, run result.Run) []byte {
	t.Helper()
	data, err := HTML(run, false)
	require.NoError(t, err)
	return data
}

const (
	visibleCases = `[...document.querySelectorAll('.case')].filter(c => c.getBoundingClientRect().height > 0).map(c => c.id).join(' ')`
	openCases    = `[...document.querySelectorAll('.case > details[open]')].map(d => d.parentNode.id).join(' ')`
)

func TestReportWorksInABrowser(t *testing.T) {
	b := browse(t, webPage(t, pictured()))
	require.Equal(t, "U-02 L-01 U-03 L-02", b.ask(visibleCases))
	require.Equal(t, "L-01", b.ask(openCases), "what failed and was not known is open")
	require.Contains(
		t,
		b.ask(`document.querySelector('.verdict').innerText`),
		"1 of 4 scenarios failed in a way that is not known",
	)

	b.run(chromedp.Click("#U-02 summary"))
	require.Equal(t, "U-02 L-01", b.ask(openCases))
	require.Equal(
		t,
		"true",
		b.ask(`document.querySelector('#U-02 svg').getBoundingClientRect().height > 50`),
		"the lives are drawn",
	)
	require.Equal(
		t,
		"true",
		b.ask(
			`getComputedStyle(document.querySelector('#U-02 rect.badbar')).fill !== getComputedStyle(document.querySelector('#U-02 rect.rowbar')).fill`,
		),
		"the style is in force: a wrong row looks another way than a sound one",
	)
	require.Equal(t, "true", b.ask(`document.querySelector('#L-01 table.grid').innerText.includes('10.9.0.1 moved')`))
	require.Equal(t, "true", b.ask(`document.querySelector('#L-01 p.key').getBoundingClientRect().width > 200`),
		"the backends stand side by side")
	require.Equal(
		t,
		"✓ has it|✓ has it|✗ not there|✗ not there",
		b.ask(
			`[...document.querySelectorAll('#L-01 tr.differs .yes, #L-01 tr.differs .no')].map(d => d.innerText).join('|')`,
		),
	)
	b.picture("light")

	b.run(chromedp.Click("#fold"))
	require.Empty(t, b.ask(openCases))
	b.run(chromedp.SendKeys("#words", "crossed-close"))
	require.Equal(t, "U-02", b.ask(visibleCases), "the filter finds a class")
	b.run(chromedp.Click("#unfold"))
	require.Equal(t, "U-02", b.ask(openCases), "what is filtered away stays folded")
	b.ask(`(words => { words.value = ''; words.dispatchEvent(new Event('input')) })(document.getElementById('words'))`)
	b.run(chromedp.Click(`input[value="pass"]`))
	require.Equal(t, "U-02 L-01 U-03", b.ask(visibleCases))
	require.Equal(t, "3 of 4 shown", b.ask(`document.getElementById('count').textContent`))

	b.media(emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
	require.Equal(t, "rgb(20, 23, 28)", b.ask(`getComputedStyle(document.body).backgroundColor`))
	b.picture("dark")
	b.run(chromedp.EmulateViewport(390, 800))
	require.Equal(
		t,
		"true",
		b.ask(`document.documentElement.scrollWidth <= 390`),
		"a narrow page does not scroll sideways",
	)
	b.picture("narrow")
	b.quiet()
}

func TestReportIsAccessible(t *testing.T) {
	b := browse(t, webPage(t, pictured()))
	for what, expression := range map[string]string{
		"landmarks":                  `['header', 'main', 'footer', '[role=search]'].filter(s => !document.querySelector(s)).join(' ')`,
		"language":                   `document.documentElement.lang === 'en' ? '' : 'none'`,
		"sections have a name":       `[...document.querySelectorAll('section')].filter(s => !document.getElementById(s.getAttribute('aria-labelledby'))).length || ''`,
		"pictures have a text":       `[...document.querySelectorAll('svg')].filter(s => s.getAttribute('role') !== 'img' || !s.getAttribute('aria-label')).length || ''`,
		"tables have headers":        `[...document.querySelectorAll('table')].filter(t => !t.querySelector('thead th[scope]')).length || ''`,
		"inputs have a label":        `[...document.querySelectorAll('input')].filter(i => !i.labels.length).length || ''`,
		"ids are unique":             `(ids => ids.length === new Set(ids).size ? '' : 'twice')([...document.querySelectorAll('[id]')].map(e => e.id))`,
		"verdicts are more than red": `[...document.querySelectorAll('.case .badge')].filter(x => x.textContent.trim().length < 2).length || ''`,
	} {
		require.Empty(t, b.ask(expression), what)
	}
	b.quiet()
}

// TestReaderFindsTheCause: whoever follows a link to a failure sees its cause and the rows on the first screen, and
// badges lead to their words.
func TestReaderFindsTheCause(t *testing.T) {
	b := browse(t, webPage(t, pictured()))
	b.ask(`location.hash = 'U-02'`)
	const inView = `(e => { const r = e.getBoundingClientRect(); return r.top >= ` +
		`document.querySelector('.tools').getBoundingClientRect().bottom && r.bottom <= innerHeight })(%s)`
	b.until(fmt.Sprintf(inView, `document.querySelector('#U-02 summary')`), "no bar hides the heading")
	require.Equal(t, "true", b.ask(fmt.Sprintf(inView, `document.querySelector('#U-02 .cause')`)))
	require.Equal(t, "true", b.ask(fmt.Sprintf(inView, `document.querySelector('#U-02 .rows')`)))
	require.Contains(t, b.ask(`document.querySelector('#U-02 .cause').innerText`), "closed row 3 (LB rule R3's) instead "+
		"of row 1 (its own)")
	require.Equal(t, b.ask(`getComputedStyle(document.body).color`),
		b.ask(`getComputedStyle(document.querySelector('#U-02 .cause p')).color`), "in black")
	require.Equal(t, "true", b.ask(`(s => s.scrollWidth <= s.clientWidth)(document.querySelector('#U-02 .rows').parentNode)`),
		"no column is scrolled away")
	require.Equal(t, "true", b.ask(`(s => s.scrollHeight <= s.clientHeight)(document.querySelector('#U-02 .steps'))`),
		"no step is scrolled away")

	b.run(chromedp.Click(`#U-02 .findings a[href="#class-leaked-row"]`))
	b.until(fmt.Sprintf(inView, `document.getElementById('class-leaked-row')`), "the legend is unfolded")

	b.run(chromedp.EmulateViewport(500, 900))
	require.Equal(t, "true", b.ask(`document.documentElement.scrollWidth <= 500`))
	require.Equal(t, "true", b.ask(`document.querySelector('#U-02 .chart svg').getBoundingClientRect().width > 700`),
		"the picture is as large as ever, in a box of its own")
	require.Equal(t, "true", b.ask(`document.querySelector('#U-02 .rows .badge').getBoundingClientRect().right < 500`),
		"what is wrong with a row is not scrolled away")
	b.quiet()
}

// TestPaperHasAllOfIt: what is folded on the screen is unfolded while the page is printed, and only then.
func TestPaperHasAllOfIt(t *testing.T) {
	b := browse(t, webPage(t, pictured()))
	const folded = `document.querySelectorAll('main details:not([open])').length`
	before := b.ask(folded)
	require.NotEqual(t, "0", before)
	b.ask(`dispatchEvent(new Event('beforeprint'))`)
	require.Equal(t, "0", b.ask(folded))
	b.ask(`dispatchEvent(new Event('afterprint'))`)
	require.Equal(t, before, b.ask(folded))
	const evidence = `document.querySelector('#U-02 .evidence pre').checkVisibility()`
	require.Equal(t, "false", b.ask(evidence))
	b.media(emulation.SetEmulatedMediaParams{Media: "print"})
	require.Equal(t, "true", b.ask(evidence), "without a script, too")
	b.quiet()
}

// TestBrowserSeesWhatIsWrong makes sure that the tests above can fail: a script that the policy forbids is told of.
func TestBrowserSeesWhatIsWrong(t *testing.T) {
	bad := strings.Replace(string(webPage(t, pictured())), "</main>", "<script>document.title = 'x'</script></main>", 1)
	b := browse(t, []byte(bad))
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Contains(t, strings.Join(b.problems, "\n"), "Content Security Policy")
}

func TestHostileNamesDoNothingInABrowser(t *testing.T) {
	run := pictured()
	for _, s := range hostile() {
		run.Results = append(run.Results, everywhere(s).Results...)
	}
	b := browse(t, webPage(t, run))
	require.Equal(t, fmt.Sprint(len(run.Results)), b.ask(`document.querySelectorAll('.case').length`))
	require.Equal(
		t,
		"0",
		b.ask(`document.querySelectorAll('main script, main img, main iframe, main [onerror], main [onload]').length`),
	)
	require.Equal(t, "undefined", b.ask(`typeof window.harmed`))
	require.Equal(t, "true", b.ask(`document.documentElement.scrollWidth <= 1280`), "no name pushes the page wide")
	b.quiet()
}

func TestLargeReportOpens(t *testing.T) {
	data := webPage(t, large(400))
	require.Less(t, len(data), 3_000_000)
	b := browse(t, data)
	require.Equal(t, "400", b.ask(`document.querySelectorAll('.case').length`))
	b.run(chromedp.SendKeys("#words", "u-02-399"))
	require.Equal(t, "U-02-399", b.ask(visibleCases))
	b.quiet()
}

// BenchmarkLargeReport shows how long a report of 400 cases takes to write.
func BenchmarkLargeReport(b *testing.B) {
	run := large(400)
	size := 0
	for b.Loop() {
		data, err := HTML(run, false)
		require.NoError(b, err)
		size = len(data)
	}
	b.ReportMetric(float64(size), "bytes")
}

// BenchmarkLargeReportOpens shows how long Chromium takes from the address to the last element of a report of 400
// cases.
func BenchmarkLargeReportOpens(b *testing.B) {
	data, err := HTML(large(400), false)
	require.NoError(b, err)
	file := filepath.Join(b.TempDir(), "report.html")
	require.NoError(b, os.WriteFile(file, data, 0o600))
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox)
	ctx, end := chromedp.NewExecAllocator(b.Context(), opts...)
	defer end()
	ctx, shut := chromedp.NewContext(ctx)
	defer shut()
	require.NoError(b, chromedp.Do(ctx))
	for b.Loop() {
		require.NoError(b, chromedp.Do(ctx, chromedp.Navigate("file://"+file), chromedp.WaitReady("footer")))
	}
}
