package deploy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/deploy"
)

// recorded are the exchanges of real servers' deployments, by release.
func recorded(t *testing.T) map[string][]cloud.Exchange {
	t.Helper()
	file := filepath.Join("..", "..", "testdata", "conformance", "real-lists.jsonl")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	all, err := cloud.ReadTrace(strings.NewReader(string(text)))
	require.NoError(t, err)
	by := map[string][]cloud.Exchange{}
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		var of struct{ Release string }
		require.NoError(t, json.Unmarshal([]byte(line), &of))
		by[of.Release] = append(by[of.Release], all[i])
	}
	require.NotEmpty(t, by)
	return by
}

// serve answers a command with its recorded answer, and lists that are not recorded with nothing.
func serve(t *testing.T, exchanges []cloud.Exchange) *cloud.Client {
	t.Helper()
	answers := map[string]json.RawMessage{}
	for _, e := range exchanges {
		answers[e.Command] = e.Body
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		body, there := answers[r.FormValue("command")]
		if !there {
			body = fmt.Appendf(nil, `{"%sresponse":{}}`, strings.ToLower(r.FormValue("command")))
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(front.Close)
	c, err := cloud.New(cloud.Options{URL: front.URL + "/client/api", APIKey: "key", SecretKey: "secret"})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close(t.Context())) })
	return c
}

// What real servers list is read as it is: a pod's startip is a list.
func TestDeployReadsTheListsOfRealServers(t *testing.T) {
	for release, exchanges := range recorded(t) {
		t.Run(release, func(t *testing.T) {
			seen := steps{}
			_, err := deploy.Deploy(t.Context(), deploy.Options{Cloud: serve(t, exchanges), Plan: deploy.Default(),
				DryRun: true, Show: seen.show})
			require.NoError(t, err)
			for _, step := range []string{"zone Sandbox-simulator", "physical network Sandbox-pnet",
				"traffic type Guest", "cluster C0", "primary storage PS0"} {
				assert.Contains(t, seen[deploy.There], step)
			}
			hasPods := slices.ContainsFunc(exchanges, func(e cloud.Exchange) bool { return e.Command == "listPods" })
			assert.Equal(t, hasPods, slices.Contains(seen[deploy.There], "pod POD0"), "%v", seen)
			assert.Empty(t, seen[deploy.Kept], "the recorded pod has the plan's range")
		})
	}
}

// A pod of the plan's name with another range is taken as it is, and its range is said.
func TestAPodWithAnotherRangeIsKept(t *testing.T) {
	plan := deploy.Default()
	plan.Pod.Last = "172.16.15.9"
	seen := steps{}
	_, err := deploy.Deploy(t.Context(), deploy.Options{Cloud: serve(t, recorded(t)["4.20.0.0"]), Plan: plan,
		DryRun: true, Show: seen.show})
	require.NoError(t, err)
	assert.Equal(t, []string{"pod POD0 has 172.16.15.2 - 172.16.15.200"}, seen[deploy.Kept])
	assert.Contains(t, seen[deploy.There], "pod POD0")
}

func TestDeployReadsWhatRealServersCreated(t *testing.T) {
	read := 0
	for release, exchanges := range recorded(t) {
		for _, e := range exchanges {
			var root map[string]map[string]json.RawMessage
			require.NoError(t, json.Unmarshal(e.Body, &root))
			for _, answer := range root {
				id, known, err := deploy.Made(e.Command, answer)
				if !known {
					continue
				}
				read++
				require.NoError(t, err, "%s %s", release, e.Command)
				assert.Equal(t, first(t, e.Body)["id"], id, "%s %s", release, e.Command)
			}
		}
	}
	assert.Equal(t, 14, read, "seven creates of two releases")
	_, _, err := deploy.Made("createPod", map[string]json.RawMessage{"pod": json.RawMessage(`{"name":"POD0"}`)})
	require.ErrorContains(t, err, "names no object")
	_, _, err = deploy.Made("createPod",
		map[string]json.RawMessage{"pod": json.RawMessage(`{"id":"x","startip":"1.2.3.4"}`)})
	require.ErrorContains(t, err, "expected form")
}

// The bare lab answers as a real server does: fields of both have one form, and a pod has all of them.
func TestTheBareLabAnswersLikeARealServer(t *testing.T) {
	z, _ := bare(t, "4.20.0.0")
	var trace strings.Builder
	c, err := cloud.New(cloud.Options{URL: z.APIURL(), APIKey: z.APIKey(), SecretKey: z.SecretKey(), Eager: true,
		Trace: &trace})
	require.NoError(t, err)
	_, err = deploy.Deploy(t.Context(), deploy.Options{Cloud: c, Plan: deploy.Default()})
	require.NoError(t, err)
	_, err = c.All(t.Context(), "listPods", nil)
	require.NoError(t, err)
	require.NoError(t, c.Close(t.Context()))
	ours, err := cloud.ReadTrace(strings.NewReader(trace.String()))
	require.NoError(t, err)
	answered := map[string]map[string]any{}
	for _, e := range ours {
		if fields := first(t, e.Body); len(fields) > 0 {
			answered[e.Command] = fields
		}
	}
	compared := 0
	for _, e := range recorded(t)["4.20.0.0"] {
		lab, there := answered[e.Command]
		if !there {
			continue
		}
		for name, v := range first(t, e.Body) {
			w, has := lab[name]
			if has {
				assert.Equal(t, fmt.Sprintf("%T", v), fmt.Sprintf("%T", w), "%s %s", e.Command, name)
				compared++
			}
			if strings.HasSuffix(e.Command, "Pod") || strings.HasSuffix(e.Command, "Pods") {
				assert.True(t, has, "%s has no %s", e.Command, name)
			}
		}
	}
	assert.Greater(t, compared, 60, "too little was compared")
}

// first is the first object of an answer.
func first(t *testing.T, body json.RawMessage) map[string]any {
	t.Helper()
	var root map[string]map[string]any
	require.NoError(t, json.Unmarshal(body, &root))
	for _, answer := range root {
		delete(answer, "count")
		for _, key := range slices.Sorted(maps.Keys(answer)) {
			switch v := answer[key].(type) {
			case map[string]any:
				return v
			case []any:
				if o, is := v[0].(map[string]any); is {
					return o
				}
			}
		}
	}
	return nil
}
