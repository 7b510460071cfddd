package chaos

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Every so manieth create is answered before it is carried out, and is carried out all the same; nothing else is
// touched, in whichever form it comes.
func TestLateCommits(t *testing.T) {
	var mu sync.Mutex
	var done []string
	l := &late{every: 2, to: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		done = append(done, r.FormValue("name"))
		w.WriteHeader(http.StatusOK)
	})}
	call := func(command, name string, post bool) int {
		r := httptest.NewRequest(http.MethodGet, "/client/api?command="+command+"&name="+name, nil)
		if post {
			r = httptest.NewRequest(http.MethodPost, "/client/api", strings.NewReader("command="+command+"&name="+name))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		w := httptest.NewRecorder()
		l.ServeHTTP(w, r)
		return w.Code
	}
	for _, post := range []bool{false, true} {
		assert.Equal(t, http.StatusOK, call("createAccount", "a", post))
		assert.Equal(t, http.StatusOK, call("listAccounts", "b", post))
		assert.Equal(t, http.StatusGatewayTimeout, call("createDomain", "c", post))
		assert.Equal(t, http.StatusOK, call("deployVirtualMachine", "d", post))
		assert.Equal(t, http.StatusGatewayTimeout, call("createNetwork", "e", post))
	}
	l.pending.Wait()
	assert.ElementsMatch(t, []string{"a", "b", "c", "d", "e", "a", "b", "c", "d", "e"}, done)
}
