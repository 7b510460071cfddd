package reports

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
)

// OpenMetrics is the run as OpenMetrics 1.0 text, for the trend over nights: verdicts, times and repeats of each
// scenario, and the exit status. It has no time stamps: whoever collects it knows when.
func OpenMetrics(run result.Run, strict bool) ([]byte, error) {
	m := &metrics{common: labels("target", name(run.Target), "release", name(run.Release))}
	m.family("stackproof_run", "info", "", "What was tested.")
	m.sample(
		"stackproof_run_info",
		labels(
			"router",
			shorten(line(run.Router), longest),
			"seed",
			strconv.FormatInt(run.Seed, 10),
			"strict",
			strconv.FormatBool(strict),
		),
		1,
	)
	m.family(
		"stackproof_exit_status",
		"gauge",
		"",
		"Exit status of the run: 0 as expected, 1 a failure, 3 inconclusive.",
	)
	m.sample("stackproof_exit_status", "", float64(run.ExitCode(strict)))
	m.family("stackproof_run_duration_seconds", "gauge", "seconds", "How long the run took.")
	m.sample("stackproof_run_duration_seconds", "", run.Seconds)
	m.family("stackproof_scenarios", "gauge", "", "Scenarios by verdict.")
	counts := map[string]int{}
	for _, c := range run.Results {
		key, _ := kind(c)
		counts[key]++
	}
	for _, key := range []string{"pass", "fail", "known", "inconclusive", "unsupported"} {
		m.sample("stackproof_scenarios", labels("verdict", key), float64(counts[key]))
	}
	m.sample("stackproof_scenarios", labels("verdict", "missing"), float64(len(run.Missing())))
	m.scenarios(run)
	m.b.WriteString("# EOF\n")
	return []byte(m.b.String()), nil
}

type metrics struct {
	b      strings.Builder
	common string
}

// scenarios writes the families that have a sample for each scenario. Of two cases of one id the later is left out: a
// series may be there once.
func (m *metrics) scenarios(run result.Run) {
	for _, f := range []struct {
		name, unit, help string
		value            func(result.Case) float64
	}{
		{"stackproof_scenario_failed", "", "1 where the scenario failed, known or not.",
			func(c result.Case) float64 { return float64(boolInt(c.Verdict == result.Fail)) }},
		{"stackproof_scenario_known", "", "1 where the release is known to fail the scenario.",
			func(c result.Case) float64 { return float64(boolInt(c.Known)) }},
		{"stackproof_scenario_duration_seconds", "seconds", "How long the scenario took.",
			func(c result.Case) float64 { return c.Seconds }},
		{"stackproof_scenario_repeats", "", "Repeats of the scenario.",
			func(c result.Case) float64 { return float64(c.Repeats) }},
		{"stackproof_scenario_failures", "", "Repeats that failed.",
			func(c result.Case) float64 { return float64(c.Failures) }},
		{"stackproof_scenario_inconclusives", "", "Repeats that were inconclusive.",
			func(c result.Case) float64 { return float64(c.Inconclusives) }},
	} {
		m.family(f.name, "gauge", f.unit, f.help)
		seen := map[string]bool{}
		for _, c := range run.Results {
			if id := name(c.ID); !seen[id] {
				seen[id] = true
				key, _ := kind(c)
				m.sample(f.name, labels("scenario", id, "verdict", key), f.value(c))
			}
		}
	}
}

func (m *metrics) family(name, kind, unit, help string) {
	fmt.Fprintf(&m.b, "# TYPE %s %s\n", name, kind)
	if unit != "" {
		fmt.Fprintf(&m.b, "# UNIT %s %s\n", name, unit)
	}
	fmt.Fprintf(&m.b, "# HELP %s %s\n", name, help)
}

func (m *metrics) sample(name, own string, value float64) {
	all := m.common
	if own != "" {
		all += "," + own
	}
	fmt.Fprintf(&m.b, "%s{%s} %s\n", name, all, strconv.FormatFloat(value, 'g', -1, 64))
}

// labels writes names and values in turns.
func labels(pairs ...string) string {
	var all []string
	for i := 0; i+1 < len(pairs); i += 2 {
		all = append(all, pairs[i]+`="`+strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(pairs[i+1])+`"`)
	}
	return strings.Join(all, ",")
}
