package harness

import (
	"fmt"
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
	write(`{"command":"listZones","status":200,"body":{}}`)
	write(`{"command":"queryAsyncJobResult","status":200,"body":{"queryasyncjobresultresponse":{"jobstatus":0}}}`)
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
