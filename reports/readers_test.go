package reports

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/result"
)

// readers is a Python with independent readers of what is written here. It is made once, in out/readers.
func readers(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../out/readers")
	require.NoError(t, err)
	python := filepath.Join(dir, "bin", "python")
	if exec.Command(python, "-c", "import junitparser, prometheus_client").
		Run() ==
		nil { // our own folder
		return python
	}
	for _, command := range [][]string{{"python3", "-m", "venv", "--clear", dir},
		{python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "junitparser==3.2.0",
			"prometheus-client==0.21.1"}} {
		out, err := exec.Command(command[0], command[1:]...).CombinedOutput() // fixed words
		require.NoError(t, err, "%s: %s", strings.Join(command, " "), out)
	}
	return python
}

// read hands a document to a Python program and gives what it prints.
func read(t *testing.T, program string, document []byte) (string, error) {
	t.Helper()
	cmd := exec.Command(readers(t), "-c", program) // our own programs
	cmd.Stdin = bytes.NewReader(document)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

const junitReader = `
import sys, junitparser
suites = junitparser.JUnitXml.fromstring(sys.stdin.buffer.read())
tests = failed = errors = skipped = 0
for suite in suites:
    assert suite.name and suite.timestamp is not None, "a suite without a name"
    assert suite.tests == len(list(suite)), "tests is %s" % suite.tests
    for case in suite:
        assert case.classname and case.name and case.time is not None
        tests += 1
        for r in case.result:
            failed += isinstance(r, junitparser.Failure)
            errors += isinstance(r, junitparser.Error)
            skipped += isinstance(r, junitparser.Skipped)
            assert r.message
    assert (suite.failures, suite.errors, suite.skipped) == (failed, errors, skipped)
print(tests, failed, errors, skipped)
`

func TestJUnitParserReadsJUnit(t *testing.T) {
	data, err := JUnit(sample(), false)
	require.NoError(t, err)
	told, err := read(t, junitReader, data)
	require.NoError(t, err, told)
	require.Equal(t, "9 2 2 3", told, "tests, failures, errors, skipped")
	for _, s := range hostile() {
		run := everywhere(s)
		run.Started = sample().Started
		data, err := JUnit(run, true)
		require.NoError(t, err)
		told, err := read(t, junitReader, data)
		require.NoError(t, err, "%q: %s", s, told)
	}
	_, err = read(t, junitReader, bytes.Replace(data, []byte(`failures="2"`), []byte(`failures="3"`), 2))
	require.Error(t, err, "a wrong count is seen")
}

const metricsReader = `
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    for s in family.samples:
        failed = s.labels.get("scenario") == "L-04" and s.name == "stackproof_scenario_failed"
        if s.name == "stackproof_exit_status" or failed:
            print(s.name, int(s.value))
`

func TestPrometheusReadsOpenMetrics(t *testing.T) {
	data, err := OpenMetrics(sample(), false)
	require.NoError(t, err)
	told, err := read(t, metricsReader, data)
	require.NoError(t, err, told)
	require.Equal(t, "stackproof_exit_status 1\nstackproof_scenario_failed 1", told)
	for _, s := range hostile() {
		data, err := OpenMetrics(everywhere(s), false)
		require.NoError(t, err)
		told, err := read(t, metricsReader, data)
		require.NoError(t, err, "%q: %s", s, told)
	}
	_, err = read(t, metricsReader, bytes.TrimSuffix(data, []byte("# EOF\n")))
	require.Error(t, err, "a text that is cut off is seen")
}

func schemaOf(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile("schema/result-2.schema.json")
	require.NoError(t, err)
	return s
}

func check(t *testing.T, s *jsonschema.Schema, data []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	require.NoError(t, err)
	return s.Validate(doc)
}

func TestJSONFollowsItsSchema(t *testing.T) {
	s := schemaOf(t)
	for _, run := range []result.Run{sample(), pictured(), {}, everywhere("x"), everywhere("\xff\x00")} {
		data, err := JSON(run)
		require.NoError(t, err)
		require.NoError(t, check(t, s, data), "%s", data)
	}
	good, err := JSON(pictured())
	require.NoError(t, err)
	for name, change := range map[string][2]string{
		"another version":     {`"schema": 2`, `"schema": 3`},
		"verdict":             {`"verdict": "pass"`, `"verdict": "ok"`},
		"finding without":     {`"says"`, `"sais"`},
		"time":                {`"opened": "2026`, `"opened": "yesterday 2026`},
		"number that is text": {`"helper_id": 1,`, `"helper_id": "1",`},
	} {
		require.Contains(t, string(good), change[0], name)
		require.Error(t, check(t, s, bytes.Replace(good, []byte(change[0]), []byte(change[1]), 1)), name)
	}
}

// TestSchemaNamesEveryField makes sure that a field that is added to the result is added to the schema.
func TestSchemaNamesEveryField(t *testing.T) {
	var schema struct {
		Properties map[string]any
		Defs       map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	data, err := os.ReadFile("schema/result-2.schema.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &schema))
	require.ElementsMatch(t, fieldsOf(reflect.TypeFor[result.Run]()), names(schema.Properties))
	for _, typ := range []reflect.Type{reflect.TypeFor[result.Case](), reflect.TypeFor[result.Step](),
		reflect.TypeFor[result.Finding](), reflect.TypeFor[result.Evidence](),
		reflect.TypeFor[result.Moment](), reflect.TypeFor[result.Life](), reflect.TypeFor[result.Billed](),
		reflect.TypeFor[result.Grid](), reflect.TypeFor[result.GridRow](),
		reflect.TypeFor[result.Section](), reflect.TypeFor[result.Call](), reflect.TypeFor[result.Shard]()} {
		require.ElementsMatch(t, fieldsOf(typ), names(schema.Defs[typ.Name()].Properties), typ.Name())
	}
}

func names(properties map[string]any) []string {
	var all []string
	for n := range properties {
		all = append(all, n)
	}
	return all
}

func fieldsOf(typ reflect.Type) []string {
	var all []string
	for i := range typ.NumField() {
		f := typ.Field(i)
		if f.Anonymous {
			all = append(all, fieldsOf(f.Type)...)
			continue
		}
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if tag != "-" {
			all = append(all, tag)
		}
	}
	return all
}

// TestOlderFilesAreRead: a result of schema 1, as a real run wrote it, becomes every document.
func TestOlderFilesAreRead(t *testing.T) {
	file, err := os.Open("testdata/schema-1.json")
	require.NoError(t, err)
	defer file.Close()
	run, err := result.Decode(file)
	require.NoError(t, err)
	require.Len(t, run.Results, 3)
	require.Equal(t, 0, run.ExitCode(false))
	for _, f := range Formats() {
		data, err := f.Render(run, false)
		require.NoError(t, err, f.Flag)
		if f.Flag == "bundle" {
			data = []byte(unpack(t, data)["stackproof/U-01/issue.md"])
		}
		require.Contains(t, string(data), "U-01", f.Flag)
	}
	require.Contains(t, Text(run, TextOptions{}), "still open")
}
