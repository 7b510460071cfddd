// Command growth reads what go test -bench prints of benchmarks that are measured at several sizes (".../n=500") and
// prints time and memory of each size, with how many times as much the larger size takes as the one before. It ends
// with 1 where that is more than -most times what a linear growth would make of it. Of several measurements of one size
// (-count) the least counts: what else the machine does only adds.
//
// It is not a benchmark runner. Know before changing: a benchmark with a single size, or none at all, is an error,
// since nothing would have been compared.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func main() {
	most := flag.Float64("most", 1.5, "how many times as much as linear growth a size may take")
	flag.Parse()
	ok, err := compare(os.Stdin, os.Stdout, *most)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "growth:", err)
		os.Exit(4)
	case !ok:
		os.Exit(1)
	}
}

// measured is a benchmark at one size.
type measured struct {
	size   float64
	values map[string]float64 // by unit
}

// sized is the line of a benchmark with a size.
var sized = regexp.MustCompile(`^(Benchmark\S*?)/n=(\d+)(?:-\d+)?\s+\d+\s+(.*)$`)

// judged are the units that must not grow faster than the size. The time on the clock is printed only: it is as much
// the machine's as the benchmark's.
func judged() []string { return []string{"cpu-ns/op", "B/op"} }

func compare(in io.Reader, out io.Writer, most float64) (bool, error) {
	all := map[string][]measured{}
	var order []string
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "FAIL") || strings.HasPrefix(line, "--- FAIL") {
			return false, fmt.Errorf("a benchmark failed: %s", line)
		}
		found := sized.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		one, err := parse(found[2], found[3])
		if err != nil {
			return false, fmt.Errorf("%s: %w", line, err)
		}
		if all[found[1]] == nil {
			order = append(order, found[1])
		}
		all[found[1]] = add(all[found[1]], one)
	}
	if err := lines.Err(); err != nil {
		return false, err
	}
	if len(order) == 0 {
		return false, errors.New("no benchmark of several sizes was printed")
	}
	ok := true
	fmt.Fprintf(out, "| %-28s | %6s | %9s | %9s | %6s | %9s | %6s |\n", "what", "size", "clock, ms", "CPU, ms", "times",
		"MB", "times")
	for _, name := range order {
		sizes := all[name]
		if len(sizes) < 2 {
			return false, fmt.Errorf("%s was measured at one size", name)
		}
		slices.SortFunc(sizes, func(a, b measured) int { return int(a.size - b.size) })
		for i := range sizes {
			ok = row(out, strings.TrimPrefix(name, "Benchmark"), sizes, i, most) && ok
		}
	}
	return ok, nil
}

// add takes a measurement in; of one size the least values are kept.
func add(all []measured, one measured) []measured {
	i := slices.IndexFunc(all, func(m measured) bool { return m.size == one.size })
	if i < 0 {
		return append(all, one)
	}
	for unit, value := range one.values {
		all[i].values[unit] = min(value, all[i].values[unit])
	}
	return all
}

// parse reads the values of a line: numbers, each with its unit.
func parse(size, rest string) (m measured, err error) {
	if m.size, err = strconv.ParseFloat(size, 64); err != nil {
		return m, err
	}
	words := strings.Fields(rest)
	m.values = map[string]float64{}
	for i := 0; i+1 < len(words); i += 2 {
		if m.values[words[i+1]], err = strconv.ParseFloat(words[i], 64); err != nil {
			return m, err
		}
	}
	return m, nil
}

// row prints a size, and says whether it takes no more than it may.
func row(out io.Writer, name string, sizes []measured, i int, most float64) bool {
	one := sizes[i]
	times := map[string]string{}
	var wrong []string
	for _, unit := range judged() {
		if _, measured := one.values[unit]; !measured {
			wrong = append(wrong, unit+" (not measured)")
		}
		if i == 0 || sizes[i-1].values[unit] == 0 {
			continue
		}
		grew := one.values[unit] / sizes[i-1].values[unit]
		times[unit] = fmt.Sprintf("%.2f", grew)
		if grew > most*one.size/sizes[i-1].size {
			wrong = append(wrong, unit)
		}
	}
	fmt.Fprintf(out, "| %-28s | %6.0f | %9.1f | %9.1f | %6s | %9.1f | %6s |", name, one.size, one.values["ns/op"]/1e6,
		one.values["cpu-ns/op"]/1e6, times["cpu-ns/op"], one.values["B/op"]/1e6, times["B/op"])
	if len(wrong) > 0 {
		fmt.Fprintf(out, " grows faster than its size: %s", strings.Join(wrong, ", "))
	}
	fmt.Fprintln(out)
	return len(wrong) == 0
}
