package zone

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/zone/push"
)

var requestForm = regexp.MustCompile(`^(\S+ \S+) DEBUG .* Seq (\d+)-(\d+): Executing: .*?, \[(.*)\] \}$`)

// loggedPush is a line of a management log.
type loggedPush struct {
	line    string
	at      time.Time
	rule    string          // uuid of the first rule
	command json.RawMessage // what stands below the class name
}

// readPushes reads the lines of a log with the LoadBalancerConfigCommand in them, which may be one of many in a
// request.
func readPushes(t testing.TB, text []byte) []loggedPush {
	t.Helper()
	var out []loggedPush
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		m := requestForm.FindStringSubmatch(line)
		require.NotNil(t, m, "line %d: %.200s", i, line)
		at, err := time.Parse("2006-01-02 15:04:05,000", m[1])
		require.NoError(t, err)
		var commands []map[string]json.RawMessage
		require.NoError(t, json.Unmarshal([]byte("["+m[4]+"]"), &commands), "line %d", i)
		for _, one := range commands {
			if raw, ok := one[push.LoadBalancerCommand]; ok {
				var c push.ConfigCommand
				require.NoError(t, json.Unmarshal(raw, &c))
				require.NotEmpty(t, c.LoadBalancers, "line %d", i)
				out = append(out, loggedPush{line: line, at: at, rule: c.LoadBalancers[0].UUID, command: raw})
			}
		}
	}
	return out
}

// scalars flattens a command in the order in which it is written: path and value of every scalar and empty list.
func scalars(t testing.TB, raw json.RawMessage) [][2]string {
	t.Helper()
	in := json.NewDecoder(bytes.NewReader(raw))
	var out [][2]string
	var walk func(path string)
	walk = func(path string) {
		tok, err := in.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		switch d, _ := tok.(json.Delim); d {
		case '{':
			for in.More() {
				key, err := in.Token()
				require.NoError(t, err)
				walk(path + "." + key.(string))
			}
		case '[':
			n := 0
			for ; in.More(); n++ {
				walk(fmt.Sprintf("%s[%d]", path, n))
			}
			out = append(out, [2]string{path + "#", fmt.Sprint(n)})
		default:
			out = append(out, [2]string{path, fmt.Sprint(tok)})
			return
		}
		_, err = in.Token()
		require.NoError(t, err)
	}
	walk("")
	return out
}

// identity are scalars that name an object of one zone: the other zone's name for it must be another each time the
// object is another, and the same each time it is the same.
var identity = regexp.MustCompile(
	`\.(srcIp|destIp|lbStatsPublicIP|lbStatsPrivateIP|router\.ip|nicUuid|nic\.uuid|mac|broadcastUri` +
		`|isolationUri|networkId|networkSegmentName|vpcId|router\.name)$`)

// names pairs the two zones' names.
type names struct{ ours, theirs map[string]string }

func (n names) pair(kind, theirs, ours string) bool {
	a, known := n.ours[kind+theirs]
	b, taken := n.theirs[kind+ours]
	if !known && !taken {
		n.ours[kind+theirs], n.theirs[kind+ours] = ours, theirs
		return true
	}
	return a == ours && b == theirs
}

// TestRecordedPushes replays each recording and compares the pushes with those that the recorded log holds of its
// rules: their number, order, keys and values, names of objects apart.
func TestRecordedPushes(t *testing.T) {
	for release, files := range recordings(t) {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(files[0]), "lb-config-commands.log"))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		require.NoError(t, err)
		all := readPushes(t, text)
		for _, file := range files {
			t.Run(release+"/"+filepath.Base(file), func(t *testing.T) {
				comparePushes(t, release, file, all)
			})
		}
	}
}

func comparePushes(t *testing.T, release, file string, all []loggedPush) {
	calls := readRecording(t, file)
	made := born(calls)
	var want []loggedPush
	for _, p := range all { // the log is of all recordings of the release
		if made[p.rule] {
			want = append(want, p)
		}
	}
	if len(want) == 0 {
		t.Logf("the log holds no pushes of this recording")
		return
	}
	r := newReplay(t, release, calls)
	for _, e := range calls {
		r.play(e)
	}
	got := readPushes(t, r.log.Bytes())
	require.Len(t, got, len(r.pushes), "each push is logged once")
	n := names{map[string]string{}, map[string]string{}}
	for i := range min(len(want), len(got)) {
		if !assert.Empty(t, differences(t, r, n, want[i], got[i]), "push %d: %s", i, want[i].at.Format("15:04:05")) {
			break
		}
		assert.Equal(t, maskLine(want[i].line), maskLine(got[i].line))
	}
	assert.Equal(t, len(want), len(got), "number of pushes")
}

func differences(t testing.TB, r *replay, n names, want, got loggedPush) []string {
	a, b := scalars(t, want.command), scalars(t, got.command)
	var out []string
	for i := range min(len(a), len(b)) {
		path, kind := a[i][0], ""
		if m := identity.FindStringSubmatch(path); m != nil {
			kind = strings.NewReplacer("srcIp", "public", "lbStatsPublicIP", "public", "lbStatsPrivateIP", "link",
				"router.ip", "link").Replace(m[1]) + " "
		}
		same := a[i][1] == b[i][1]
		switch {
		case path != b[i][0]:
			return append(out, fmt.Sprintf("recorded %s = %s, ours %s = %s", path, a[i][1], b[i][0], b[i][1]))
		case strings.HasPrefix(path, ".loadBalancers") && strings.HasSuffix(path, ".uuid"):
			same = r.ids[a[i][1]] == b[i][1]
		case kind != "":
			same = n.pair(kind, a[i][1], b[i][1])
		}
		if !same {
			out = append(out, fmt.Sprintf("%s: recorded %s, ours %s", path, a[i][1], b[i][1]))
		}
	}
	if len(a) != len(b) {
		out = append(out, fmt.Sprintf("%d scalars recorded, ours %d", len(a), len(b)))
	}
	return out
}

var lineParts = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f-]{27})?|\d+`)

// maskLine is the line up to the commands, numbers and names hidden.
func maskLine(line string) string {
	head, _, _ := strings.Cut(line, " Ver: v1")
	_, head, _ = strings.Cut(head, " DEBUG ")
	return lineParts.ReplaceAllString(head, "N")
}
