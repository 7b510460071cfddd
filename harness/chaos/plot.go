package chaos

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Sizes of a plot, in pixels.
const (
	plotWidth, panelHeight, plotMargin = 720.0, 90.0, 130.0
)

// Plot draws each value of the samples over time, one below the other, as an SVG picture.
func Plot(w io.Writer, samples []Sample) error {
	all := measures()
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="sans-serif" `+
		`font-size="11" role="img">`+"\n", plotWidth, panelHeight*float64(len(all)))
	b.WriteString("<title>What the run held over time</title>\n" +
		`<rect width="100%" height="100%" fill="white"/>` + "\n")
	for i, one := range all {
		panel(&b, float64(i)*panelHeight, one, samples)
	}
	b.WriteString("</svg>\n")
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing the plot: %w", err)
	}
	return nil
}

// panel draws one value between zero and its largest.
func panel(b *strings.Builder, top float64, one measure, samples []Sample) {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = one.of(s)
	}
	var most, end float64
	if len(samples) > 0 {
		most, end = slices.Max(values), samples[len(samples)-1].At.Seconds()
	}
	fmt.Fprintf(b, `<text x="4" y="%.0f">%s</text><text x="4" y="%.0f">at most %.0f</text>`+"\n", top+20, one.what,
		top+36, most)
	points := make([]string, len(samples))
	for i, s := range samples {
		x := plotMargin + (plotWidth-plotMargin-8)*s.At.Seconds()/max(end, 1)
		y := top + panelHeight - 16 - (panelHeight-28)*values[i]/max(most, 1)
		points[i] = fmt.Sprintf("%.1f,%.1f", x, y)
	}
	fmt.Fprintf(b, `<polyline fill="none" stroke="#1f5fa8" points="%s"/>`+"\n", strings.Join(points, " "))
	fmt.Fprintf(b, `<path stroke="#999" d="M%.0f %.0fH%.0f"/><text x="%.0f" y="%.0f" text-anchor="end">%.0f s</text>`+
		"\n", plotMargin, top+panelHeight-15, plotWidth-8, plotWidth-8, top+panelHeight-4, end)
}
