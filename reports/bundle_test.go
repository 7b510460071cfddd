package reports

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/result"
)

// canary is a secret that must never come out.
const canary = "CANARY-8c1f77aa"

// leaky is a run that holds the canary in every form in which a secret is met.
func leaky() result.Run {
	run := pictured()
	c := &run.Results[0]
	for _, form := range []string{
		"\tstats auth admin1:" + canary, "https://admin:" + canary + "@mgmt.example/client/api?command=listZones",
		"dsn: audit:" + canary + "@tcp(db.example:3306)/", "audit:x/" + canary + "@unix(/run/db.sock)/",
		"apiKey=" + canary + "&command=listZones", "sessionkey=" + canary,
		`{"lbStatsAuth":"admin1:` + canary + `","password" : "a\"` + canary + `"}`, `{\"secretkey\":\"` + canary +
			`\"}`, "Authorization: Basic " + canary,
		"-----BEGIN RSA PRIVATE KEY-----\n" + canary + "\n-----END RSA PRIVATE KEY-----",
		"-----BEGIN PRIVATE KEY-----\n" + canary,
	} {
		for _, kind := range []string{result.KindPush, result.KindFileDiff, result.KindRows, result.KindNote} {
			c.Evidence = append(
				c.Evidence,
				result.Evidence{Kind: kind, Title: "title", Text: form, Data: map[string]any{"text": form}},
			)
		}
		c.Findings[0].Numbers = append(c.Findings[0].Numbers, form)
		c.Log = append(c.Log, "2026-06-01 12:01:03,123 DEBUG "+form)
		run.Notes = append(run.Notes, form)
	}
	c.Calls = []result.Call{
		{
			Command: "registerUserKeys",
			Params:  map[string]any{"signature": canary},
			Status:  200,
			Answer:  json.RawMessage(`{"userkeys":{"apikey":"` + canary + `","secretkey":"` + canary + `"}}`),
		},
	}
	run.Results[1].Sections[0].Live = []string{"stats auth admin1:" + canary}
	return run
}

func unpack(t *testing.T, data []byte) map[string]string {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(data))
	require.NoError(t, err)
	files, r := map[string]string{}, tar.NewReader(zip)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		require.NoError(t, err)
		text, err := io.ReadAll(r)
		require.NoError(t, err)
		files[h.Name] = string(text)
	}
}

func TestBundleHasWhatABugReportNeedsAndNoSecret(t *testing.T) {
	require.Greater(t, strings.Count(toJSON(t, leaky()), canary), 50, "the canary is there to be found")
	data, err := Bundle(leaky(), false)
	require.NoError(t, err)
	files := unpack(t, data)
	for _, name := range []string{"README.md", "result.json", "U-02/issue.md", "U-02/calls.ndjson", "U-02/rows.txt",
		"U-02/pushes.txt", "U-02/files.txt", "U-02/seen.txt", "U-02/views.json", "U-02/server.log",
		"L-01/issue.md", "L-01/views.json"} {
		require.NotEmpty(t, files["stackproof/"+name], name)
	}
	require.NotContains(t, strings.Join(keysOf(files), " "), "L-02", "a pass needs no bug report")
	for name, text := range files {
		require.NotContains(t, text, canary, name)
	}
	require.Contains(t, files["stackproof/U-02/calls.ndjson"], `"command":"registerUserKeys"`)
	require.Contains(t, files["stackproof/U-02/server.log"], "2026-06-01 12:01:03,123 DEBUG apiKey=redacted&command=")
	again, err := Bundle(leaky(), false)
	require.NoError(t, err)
	require.Equal(t, data, again, "the same run makes the same bundle")
	_, err = result.Decode(strings.NewReader(files["stackproof/result.json"]))
	require.NoError(t, err, "the result without secrets can be read")
}

func keysOf(files map[string]string) []string {
	var all []string
	for n := range files {
		all = append(all, n)
	}
	return all
}

func toJSON(t *testing.T, run result.Run) string {
	t.Helper()
	data, err := JSON(run)
	require.NoError(t, err)
	return string(data)
}

func TestIssue(t *testing.T) {
	text, err := Issue(pictured(), "u-02")
	require.NoError(t, err)
	golden(t, "issue.md", text)
	leaked, err := Issue(leaky(), "U-02")
	require.NoError(t, err)
	require.NotContains(t, string(leaked), canary)
	for id, want := range map[string]string{"U-99": "no scenario \"U-99\"; it has U-02",
		"L-02": "L-02 is pass: there is no failure to report"} {
		_, err := Issue(pictured(), id)
		require.ErrorContains(t, err, want)
	}
	big := large(1)
	for range 50 {
		big.Results[0].Evidence = append(big.Results[0].Evidence, big.Results[0].Evidence[0])
	}
	text, err = Issue(big, "U-02-0")
	require.NoError(t, err)
	require.Less(t, len(text), 65536)
	require.Contains(t, string(text), "More evidence is in the bundle")
}

func TestTable(t *testing.T) {
	other := pictured()
	other.Release, other.Results = "4.20.1.0", other.Results[3:]
	golden(t, "table.txt", []byte(Table([]result.Run{pictured(), other}, false)))
}
