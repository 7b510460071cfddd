package harness

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCallsKeepsTheNewestThatChangedSomething(t *testing.T) {
	var c Calls
	write := func(line string) {
		n, err := c.Write([]byte(line))
		require.NoError(t, err)
		require.Len(t, line, n)
	}
	for answer, takes := range map[string]bool{`{"jobstatus":0,"jobid":"x"}`: false, `{"jobstatus": 0}`: false,
		`{"jobstatus":1}`: true, `{"jobstatus":2}`: true} {
		require.Equal(t, takes, c.Takes("queryAsyncJobResult", http.StatusOK, []byte(answer)), answer)
	}
	require.False(t, c.Takes("listZones", http.StatusOK, nil))
	require.True(t, c.Takes("listZones", http.StatusUnauthorized, nil))
	require.True(t, c.Takes("createVPC", http.StatusOK, nil))
	write(`not a line of a trace`)
	require.Empty(t, c.Newest())
	write(`{"command":"listZones","status":401,"xDescription":"no","body":null}`)
	write(`{"command":"queryAsyncJobResult","status":200,"body":{"queryasyncjobresultresponse":{"jobstatus":1}}}`)
	write(`{"command":"createVPC","params":{"name":"v"},"status":200,"body":"` + strings.Repeat("x", 5000) + `"}`)
	calls := c.Newest()
	require.Len(t, calls, 3)
	require.Equal(t, "no", calls[0].Error)
	require.Equal(t, "v", calls[2].Params["name"])
	require.Less(t, len(calls[2].Answer), 100)
	for i := range mostCalls {
		write(fmt.Sprintf(`{"command":"createVPC%d","status":200,"body":{}}`, i))
	}
	calls = c.Newest()
	require.Len(t, calls, mostCalls)
	require.Equal(t, "createVPC0", calls[0].Command)
	require.Empty(t, (*Calls)(nil).Newest(), "a site that keeps none")
}
