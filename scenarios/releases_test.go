package scenarios_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/scenarios"
)

var update = flag.Bool("update", false, "write the README's table of releases anew")

const tableHead = "| release | fails (known) |\n|---|---|\n"

// TestReadmeTellsTheKnownFailures compares the README's table of releases with what the catalogue knows.
func TestReadmeTellsTheKnownFailures(t *testing.T) {
	chosen, err := scenarios.Catalogue().Select()
	require.NoError(t, err)
	readme := filepath.Join("..", "README.md")
	text, err := os.ReadFile(readme)
	require.NoError(t, err)
	form := regexp.MustCompile(regexp.QuoteMeta(tableHead) + `(\|.*\n)*`)
	require.Len(t, form.FindAll(text, -1), 1, "the README has one table of releases")
	want := tableHead + knownRows(chosen)
	if *update {
		require.NoError(t, os.WriteFile(readme, form.ReplaceAll(text, []byte(want)), 0o644))
		return
	}
	assert.Equal(t, want, string(form.Find(text)), "go test ./scenarios -run TestReadme -update")
}

// knownRows is a row for all releases with the same known failures.
func knownRows(chosen harness.Catalogue) string {
	var order []string
	with := map[string][]string{}
	for _, name := range release.All() {
		var known []bool
		for _, s := range chosen {
			known = append(known, s.KnownBad.On(name))
		}
		ids := strings.Join(runs(chosen, known), ", ")
		if with[ids] == nil {
			order = append(order, ids)
		}
		with[ids] = append(with[ids], name)
	}
	var rows strings.Builder
	for _, ids := range order {
		fmt.Fprintf(&rows, "| %s | %s |\n", strings.Join(with[ids], ", "), ids)
	}
	return rows.String()
}

// runs are the ids of the marked scenarios; three or more in a row of one letter are written as "L-01 to L-06".
func runs(all harness.Catalogue, marked []bool) (words []string) {
	for i := 0; i < len(all); i++ {
		if !marked[i] {
			continue
		}
		first := i
		for i+1 < len(all) && marked[i+1] && all[i+1].ID[0] == all[first].ID[0] {
			i++
		}
		if i-first >= 2 {
			words = append(words, all[first].ID+" to "+all[i].ID)
			continue
		}
		for ; first <= i; first++ {
			words = append(words, all[first].ID)
		}
	}
	return words
}

func TestRuns(t *testing.T) {
	var all harness.Catalogue
	for _, id := range []string{"U-01", "U-02", "U-03", "U-04", "L-01", "L-02"} {
		all = append(all, harness.Scenario{ID: id})
	}
	for want, marked := range map[string][]bool{
		"U-01 to U-03, L-02": {true, true, true, false, false, true}, "U-04, L-01, L-02": {false, false, false, true,
			true, true}, "": make([]bool, 6),
	} {
		assert.Equal(t, want, strings.Join(runs(all, marked), ", "))
	}
}

// TestTextsNameKnownReleases: what people copy from the README, the tasks and the pipelines is a release that is known.
// Pipelines run on every release of which the lab has a zone and whose usage server closes the right rows, but for a
// branch, of which nobody has an image.
func TestTextsNameKnownReleases(t *testing.T) {
	form := regexp.MustCompile(`\b4\.\d\d\.\d+\.\d+\b`)
	files, err := filepath.Glob("../ci/pipelines/*")
	require.NoError(t, err)
	files = append(files, "../README.md", "../Taskfile.yml", "../ci/demo")
	seen := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, name := range form.FindAllString(string(text), -1) {
			seen++
			_, err := release.Resolve(name)
			assert.NoError(t, err, file)
		}
	}
	assert.Greater(t, seen, 20, "the texts name releases")
	broken := release.Where(release.UsageCloseByHelperID)
	sound := slices.DeleteFunc(release.All(), func(name string) bool {
		return broken.Contains(name) || slices.ContainsFunc(release.Profiles(), func(p release.Profile) bool {
			return p.Name == name && p.Becomes != ""
		})
	})
	row := "'" + strings.Join(sound, "', '") + "'"
	for _, file := range []string{"Jenkinsfile", "github-actions.yml", "gitlab-ci.yml"} {
		text, err := os.ReadFile(filepath.Join("..", "ci", "pipelines", file))
		require.NoError(t, err)
		rows := regexp.MustCompile(`'4\.\d\d\.\d\.\d'(, '4\.\d\d\.\d\.\d')*`).FindAllString(string(text), -1)
		require.NotEmpty(t, rows, file)
		for _, got := range rows {
			assert.Equal(t, row, got, file)
		}
	}
}
