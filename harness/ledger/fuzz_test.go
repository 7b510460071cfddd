package ledger

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzParse: whatever a ledger's file holds, it is read or refused in one line, and one that is cut anywhere, as by a
// loss of power, is read as far as its last whole line.
func FuzzParse(f *testing.F) {
	const head = `{"ledger":1,"run":"spfeed","target":"t","api":"http://192.0.2.1/client/api"}` + "\n"
	for _, s := range []string{"", head, head + `{"op":"intend","entry":1,"kind":"account","name":"a","account":"a"}` +
		"\n" + `{"op":"created","entry":1,"uuid":"u","id":7}` + "\n" + `{"op":"gone","account":"a"}` + "\n",
		head + `{"op":"intend","entry":1,"kind":"domain","name":"d"}` + "\n" + `{"op":"removed","uuid":""}` + "\n",
		head + `{"op":"refused","entry":9}` + "\n{", `{"ledger":2}` + "\n"} {
		f.Add([]byte(s), 10)
	}
	f.Fuzz(func(t *testing.T, data []byte, cut int) {
		r, err := parse("f", data)
		if err != nil {
			require.NotContains(t, strings.TrimSpace(err.Error()), "\n")
			return
		}
		open := r.Open()
		require.LessOrEqual(t, len(open), len(r.Entries))
		unsettled, _ := r.Unsettled(time.Unix(0, 0))
		require.LessOrEqual(t, len(unsettled), len(open))
		_ = r.until(time.Unix(0, 0))
		if cut < 0 || cut > len(data) {
			return
		}
		part, err := parse("f", data[:cut])
		require.NoError(t, err, "a part of a good ledger")
		require.LessOrEqual(t, len(part.Entries), bytes.Count(data[:cut], []byte("\n")))
	})
}
