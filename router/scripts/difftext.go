package scripts

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// sectionsShown bounds the sections printed for a push; what a router did not take stays pending and adds up.
const sectionsShown = 4

// WriteText writes the result for a person: what each tree made of the pushes, then every push over which they differ.
func (r DiffResult) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d pushes through both trees in %.1f s\n", r.Pushes, r.Seconds)
	for _, s := range []struct {
		name string
		side Side
	}{{"A", r.A}, {"B", r.B}} {
		fmt.Fprintf(&b, "%s  %s\n   python %s, HAProxy %s\n", s.name, s.side.Tree, s.side.Python, s.side.HAProxy)
		fmt.Fprintf(&b, "   masked %d of %d%s\n", len(s.side.Masked), r.Pushes, numbers(s.side.Masked))
		if len(s.side.Crashed) > 0 {
			fmt.Fprintf(&b, "   crashed %d of %d%s\n", len(s.side.Crashed), r.Pushes, numbers(s.side.Crashed))
		}
	}
	if r.Differ == 0 {
		b.WriteString("no difference\n")
	} else {
		fmt.Fprintf(&b, "%d pushes differ\n", r.Differ)
	}
	for _, s := range r.Steps {
		if len(s.Differs) > 0 {
			s.write(&b)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// numbers gives 1, 2, 3, 7 as ": 1-3, 7".
func numbers(list []int) string {
	var parts []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		part := strconv.Itoa(list[i])
		if j > i {
			part += "-" + strconv.Itoa(list[j])
		}
		parts = append(parts, part)
		i = j + 1
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

func (s DiffStep) write(b *strings.Builder) {
	fmt.Fprintf(b, "\npush %d", s.Push)
	if s.Line > 0 {
		fmt.Fprintf(b, ", line %d", s.Line)
	}
	if s.Router != "" {
		fmt.Fprintf(b, ", %s", s.Router)
	}
	if s.Form == Aggregated {
		fmt.Fprintf(b, ", %s", s.Form)
	}
	fmt.Fprintf(b, ": differ in %s\n   A %s\n   B %s\n", strings.Join(s.Differs, ", "), s.A, s.B)
	for i, d := range s.Sections {
		if i == sectionsShown {
			fmt.Fprintf(b, "   and %d more sections\n", len(s.Sections)-i)
			break
		}
		fmt.Fprintf(b, "   %s\n", strings.TrimSpace(d.Kind+" "+d.Name))
		for _, line := range d.Lines {
			if !strings.HasPrefix(line, "  ") {
				fmt.Fprintf(b, "     %s\n", line)
			}
		}
	}
}

func (o Outcome) String() string {
	s := string(o.Action)
	if o.Masked {
		s += ", masked"
	}
	switch {
	case o.TimedOut:
		s += ", ended after the limit"
	case o.Signal != "":
		s += ", " + o.Signal
	case o.Exit != 0:
		s += ", exit " + strconv.Itoa(o.Exit)
	}
	return s
}
