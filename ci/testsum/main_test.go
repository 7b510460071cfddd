package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	good = `{"Action":"start","Package":"p/a"}
{"Action":"run","Package":"p/a","Test":"TestOne"}
{"Action":"output","Package":"p/a","Test":"TestOne","Output":"=== RUN   TestOne\n"}
{"Action":"output","Package":"p/a","Test":"TestOne","Output":"chatter\n"}
{"Action":"pass","Package":"p/a","Test":"TestOne","Elapsed":0}
{"Action":"output","Package":"p/a","Output":"PASS\n"}
{"Action":"output","Package":"p/a","Output":"ok  \tp/a\t1.2s\n"}
{"Action":"pass","Package":"p/a","Elapsed":1.2}
{"Action":"output","Package":"p/none","Output":"?   \tp/none\t[no test files]\n"}
{"Action":"skip","Package":"p/none"}
`
	skipped = `{"Action":"output","Package":"p/b","Test":"TestTwo/sub","Output":"=== RUN   TestTwo/sub\n"}
{"Action":"output","Package":"p/b","Test":"TestTwo/sub","Output":"    b_test.go:5: install the package haproxy\n"}
{"Action":"output","Package":"p/b","Test":"TestTwo/sub","Output":"    --- SKIP: TestTwo/sub (0.00s)\n"}
{"Action":"skip","Package":"p/b","Test":"TestTwo/sub"}
{"Action":"output","Package":"p/b","Output":"ok  \tp/b\t0.1s\n"}
{"Action":"pass","Package":"p/b"}
`
	failed = `{"Action":"output","Package":"p/c","Test":"TestThree","Output":"    c_test.go:9: it broke\n"}
{"Action":"fail","Package":"p/c","Test":"TestThree"}
{"Action":"output","Package":"p/c","Test":"TestHangs","Output":"=== RUN   TestHangs\n"}
{"Action":"output","Package":"p/c","Output":"panic: test timed out\n"}
{"Action":"output","Package":"p/c","Output":"FAIL\tp/c\t9s\n"}
{"Action":"fail","Package":"p/c"}
`
)

// A skip for a reason that was allowed by name does not fail, but is shown; every other skip still fails.
func TestAllowedReasons(t *testing.T) {
	var out strings.Builder
	code, err := summarize(strings.NewReader(good+skipped), &out, false, "no engine", "install the package")
	require.NoError(t, err)
	require.Equal(t, 0, code)
	require.Contains(t, out.String(), "1 not exercised here, for a reason that was allowed by name:\n  NOT "+
		"EXERCISED p/b TestTwo/sub: b_test.go:5: install the package haproxy\n")
	require.NotContains(t, out.String(), "SKIP p/b")
	out.Reset()
	code, err = summarize(strings.NewReader(good+skipped), &out, false, "no engine")
	require.NoError(t, err)
	require.Equal(t, 1, code)
	require.NotContains(t, out.String(), "NOT EXERCISED")
}

func TestSummarize(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		allow    bool
		code     int
		want     string
	}{
		{"good", good, false, 0, "ok  \tp/a\t1.2s\n?   \tp/none\t[no test files]\n"},
		{"skipped", good + skipped, false, 1, "ok  \tp/a\t1.2s\n?   \tp/none\t[no test files]\nok  \tp/b\t0.1s\n" +
			"\n1 skipped:\n  SKIP p/b TestTwo/sub: b_test.go:5: install the package haproxy\nA skipped test fails " +
			"this run.\n" +
			"\nok  \tp/a\t1.2s\n?   \tp/none\t[no test files]\nok  \tp/b\t0.1s\n"},
		{"skips allowed", skipped, true, 0,
			"ok  \tp/b\t0.1s\n\n1 skipped:\n  SKIP p/b TestTwo/sub: b_test.go:5: install the package haproxy\n\nok  " +
				"\tp/b\t0.1s\n"},
		{"failed", failed, true, 1, "    c_test.go:9: it broke\n=== RUN   TestHangs\npanic: test timed " +
			"out\nFAIL\tp/c\t9s\n\nFAIL\tp/c\t9s\n"},
		{"does not build", `{"ImportPath":"p/d","Action":"build-output","Output":"d.go:1: undefined: x\n"}` + "\n" +
			`{"ImportPath":"p/d","Action":"build-fail"}` + "\n", true, 1,
			"d.go:1: undefined: x\n\n"},
		{"no events", "go: cannot find main module\n", true, 1,
			"go: cannot find main module\nNo package was tested.\n"},
		{"last line without an end", strings.TrimSuffix(good, "\n"), false, 0,
			"ok  \tp/a\t1.2s\n?   \tp/none\t[no test files]\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			code, err := summarize(strings.NewReader(tt.in), &out, tt.allow)
			require.NoError(t, err)
			require.Equal(t, tt.want, out.String())
			require.Equal(t, tt.code, code)
		})
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("pipe closed") }

func TestUnreadSummaryIsAnError(t *testing.T) {
	_, err := summarize(strings.NewReader(good), broken{}, false)
	require.EqualError(t, err, "print the summary: pipe closed")
}
