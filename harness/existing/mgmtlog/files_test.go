package mgmtlog

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// logFile is a log that a test writes.
type logFile struct {
	t    *testing.T
	path string
}

func (l logFile) add(text string) {
	l.t.Helper()
	f, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(l.t, err)
	_, err = f.WriteString(text)
	require.NoError(l.t, err)
	require.NoError(l.t, f.Close())
}

func (l logFile) rotate(suffix string) {
	l.t.Helper()
	require.NoError(l.t, os.Rename(l.path, l.path+suffix))
}

// tailing follows patterns in a folder.
func tailing(t *testing.T, patterns ...string) (logFile, func() []string, *Files) {
	t.Helper()
	dir := t.TempDir()
	for i, p := range patterns {
		patterns[i] = filepath.Join(dir, p)
	}
	f, err := NewFiles(patterns)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, f.Close()) })
	return logFile{t, filepath.Join(dir, "m.log")}, func() []string {
		var lines []string
		require.NoError(t, f.Poll(func(line string) { lines = append(lines, line) }))
		return lines
	}, f
}

func TestFilesGiveEachLineOnce(t *testing.T) {
	log, poll, _ := tailing(t, "m.log")
	assert.Empty(t, poll())
	log.add("one\ntwo\n")
	assert.Equal(t, []string{"one", "two"}, poll())
	assert.Empty(t, poll())
	log.add("thr")
	assert.Empty(t, poll(), "a line is given when it is complete")
	log.add("ee\n")
	assert.Equal(t, []string{"three"}, poll())
}

func TestFilesRotated(t *testing.T) {
	for name, pattern := range map[string]string{"the file only": "m.log",
		"a glob that matches old ones too": "m.log*"} {
		t.Run(name, func(t *testing.T) {
			log, poll, _ := tailing(t, pattern)
			log.add("one\n")
			assert.Equal(t, []string{"one"}, poll())
			log.add("two\n")
			log.rotate(".1")
			log.add("three\n")
			assert.Equal(t, []string{"two", "three"}, poll(), "the rest of the old file comes first")
			logFile{t, log.path + ".1"}.add("late\n")
			assert.Equal(t, []string{"late"}, poll(), "a writer may keep the old file open")
			for i := range 2 * maxOld {
				log.rotate("." + string(rune('a'+i)))
				log.add("again\n")
				assert.Equal(t, []string{"again"}, poll())
			}
		})
	}
}

func TestFilesRotatedInMidLine(t *testing.T) {
	whole := harnesstest.PushLine(t, "r-1-VM", "1", "7")
	log, poll, f := tailing(t, "m.log")
	log.add(whole[:len(whole)/2])
	assert.Empty(t, poll())
	log.rotate(".1")
	log.add(whole[len(whole)/2:] + "\n")
	assert.Equal(t, []string{whole}, poll())

	log.add(whole[:len(whole)/2])
	assert.Empty(t, poll())
	log.rotate(".2")
	log.add(whole + "\n")
	assert.Equal(t, []string{whole}, poll(), "a new line does not continue a cut one")
	assert.Equal(t, 1, f.Lost, "the cut push is reported")
}

func TestFilesTruncated(t *testing.T) {
	log, poll, f := tailing(t, "m.log")
	log.add("one line\n" + PushWord)
	assert.Equal(t, []string{"one line"}, poll())
	require.NoError(t, os.Truncate(log.path, 0))
	log.add("new\n")
	assert.Equal(t, []string{"new"}, poll())
	assert.Equal(t, 1, f.Lost, "the push that was begun is gone")
}

func TestFilesOfSeveralServers(t *testing.T) {
	log, poll, _ := tailing(t, "m*.log")
	other := logFile{t, strings.TrimSuffix(log.path, ".log") + "2.log"}
	log.add("a\n")
	other.add("b\n")
	assert.ElementsMatch(t, []string{"a", "b"}, poll())
	other.add("c\n")
	assert.Equal(t, []string{"c"}, poll())
	logFile{t, log.path + ".gz"}.add("packed\n")
	assert.Empty(t, poll())
}

// TestFilesInOrder writes to a file that was read already, and then to one that is being read: the younger line must
// not be given without the older one, or a push would overtake the one before.
func TestFilesInOrder(t *testing.T) {
	first, poll, f := tailing(t, "m*.log")
	second := logFile{t, strings.TrimSuffix(first.path, ".log") + "2.log"}
	first.add("begin\n")
	require.NoError(t, os.Chtimes(first.path, time.Unix(1, 0), time.Unix(1, 0)))
	second.add("begin\n")
	assert.Len(t, poll(), 2)
	second.add("read\n")
	var seen []string
	require.NoError(t, f.Poll(func(line string) {
		seen = append(seen, line)
		if line == "read" {
			first.add("older\n")
			second.add("younger\n")
		}
	}))
	assert.ElementsMatch(t, []string{"read", "older", "younger"}, seen)
	assert.Empty(t, poll())
}
