package logtext

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/internal/testhome"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testhome.Around(m)) }

func packed(t *testing.T, text string, pack func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := pack(&b)
	require.NoError(t, err)
	_, err = io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func gz(w io.Writer) (io.WriteCloser, error)   { return gzip.NewWriter(w), nil }
func xzip(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }

func TestUnpack(t *testing.T) {
	const text = "a line\nand \"another\"\n"
	wide := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	for name, in := range map[string][]byte{
		"plain": []byte(text), "gzip": packed(t, text, gz), "xz": packed(t, text, xzip), "BOM": []byte("\ufeff" + text),
		"UTF-16": wide, "gzip in xz": packed(t, string(packed(t, text, gz)), xzip),
		"two gzip files in one": append(packed(t, text[:7], gz), packed(t, text[7:], gz)...),
	} {
		got, cut, err := Unpack(in)
		require.NoError(t, err, name)
		assert.False(t, cut, name)
		assert.Equal(t, text, string(got), name)
	}
	long := strings.Repeat("some line of a log, which is not like the one before\n", 2000)
	for name, in := range map[string][]byte{"gzip": packed(t, long, gz), "xz": packed(t, long, xzip)} {
		got, cut, err := Unpack(in[:len(in)-12])
		require.NoError(t, err, name)
		assert.True(t, cut, name)
		assert.True(t, len(got) > 0 && strings.HasPrefix(long, string(got)), name)
	}
	damaged := packed(t, long, gz)
	damaged[len(damaged)-6] ^= 0xff // of the check sum
	_, _, err := Unpack(damaged)
	assert.ErrorContains(t, err, "unpacking gzip")
}

func TestLines(t *testing.T) {
	entry := func(log string) string {
		text, err := json.Marshal(map[string]string{"log": log, "stream": "stdout", "time": "2026-11-21T22:15:52Z"})
		require.NoError(t, err)
		return string(text)
	}
	for name, c := range map[string]struct{ in, want []string }{
		"plain":           {[]string{`a "b" c`, "d\r\n"}, []string{`a "b" c`, "d"}},
		"container":       {[]string{entry("a \"b\"\n"), entry("c\n")}, []string{`a "b"`, "c"}},
		"cut by it":       {[]string{entry("a \"b"), entry("c\" d"), entry("e\n"), entry("f\n")}, []string{`a "bc" de`, "f"}},
		"escaped":         {[]string{"x [{&quot;a&quot;:&quot;b &amp; c&quot;}]"}, []string{`x [{"a":"b & c"}]`}},
		"escaped in part": {[]string{`a "&quot;" b`}, []string{`a "&quot;" b`}},
		"other JSON":      {[]string{`{"log":7}`, `{"loadBalancers":[]}`}, []string{`{"log":7}`, `{"loadBalancers":[]}`}},
	} {
		var l Lines
		var got []string
		for _, line := range c.in {
			if plain, ok := l.Plain(line); ok {
				got = append(got, plain)
			}
		}
		assert.Equal(t, c.want, got, name)
		assert.Empty(t, l.Rest(), name)
	}
	var l Lines
	_, ok := l.Plain(entry("begun"))
	assert.False(t, ok)
	assert.Equal(t, "begun", l.Rest())
	assert.True(t, IsWrapped([]byte(entry("a\n")+"\n"+entry("b\n"))))
	assert.False(t, IsWrapped([]byte(`{"loadBalancers":[]}`)))
}

// TestWithoutKeys: keys and passwords go, whatever is in them, and nothing else does.
func TestWithoutKeys(t *testing.T) {
	for have, want := range map[string]string{
		`{"loadBalancers" : [], "key":"no certificate here"}`: `{"loadBalancers" : [], "key":"no certificate here"}`,
		`{"sslCert":{"cert":"c","key":"-----BEGIN\nCANARY","password":"CANARY"}},{"uuid":"u"}`: `{"sslCert":{"cert":` +
			`"c","key":"(left out)","password":"(left out)"}},{"uuid":"u"}`,
		`{"sslCert" : {"password" : "a\"CANARY\\","chain":"key"}}`: `{"sslCert" : {"password" : "(left out)",` +
			`"chain":"key"}}`,
	} {
		assert.Equal(t, want, WithoutKeys(have))
	}
}
