package reports

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBugsAreTakenApart(t *testing.T) {
	for why, want := range map[string][]bug{
		"#10789: usage rows are looked up by helper id; fixed by #10712 in 4.19.3.0 and #9888 in 4.20.1.0": {
			{"#10789", "usage rows are looked up by helper id", []fix{{[]string{"#10712"}, "4.19.3.0"},
				{[]string{"#9888"}, "4.20.1.0"}}}},
		"#8745: each tier's push overwrites the others'; fixed by #8881 in 4.18.2 and 4.19.1": {{"#8745",
			"each tier's push overwrites the others'", []fix{{[]string{"#8881"}, "4.18.2"},
				{[]string{"#8881"}, "4.19.1"}}}},
		"#9822: files are compared; fixed in 4.19.2.0 and 4.20.0.0": {{"#9822", "files are compared",
			[]fix{{nil, "4.19.2.0"}, {nil, "4.20.0.0"}}}},
		"#10687, ended by #10712 and #10755 in 4.19.3 and 4.20.1": {{"#10687", "",
			[]fix{{[]string{"#10712", "#10755"}, "4.19.3"}, {[]string{"#10712", "#10755"}, "4.20.1"}}}},
		"#1111: a; b; fixed in 4.20.1.0; #2222: c; ended by #3333": {{"#1111", "a; b", []fix{{nil, "4.20.1.0"}}},
			{"#2222", "c", []fix{{[]string{"#3333"}, ""}}}},
		"#10789, fixed in 4.19.3.0 and 4.20.1.0":   {{"#10789", "", []fix{{nil, "4.19.3.0"}, {nil, "4.20.1.0"}}}},
		"rows are closed by VM, Dao.java@4.20.0.0": {{"", "rows are closed by VM, Dao.java@4.20.0.0", nil}},
		"": {{}},
	} {
		require.Equal(t, want, bugsOf(why), why)
	}
}

// TestOwnLineComesFirst: who runs 4.20.0.0 reads of 4.20.1.0 first, whatever the order of the reason.
func TestOwnLineComesFirst(t *testing.T) {
	b := bugsOf("#10789: x; fixed by #10712 in 4.19.3.0 and #9888 in 4.20.1.0")[0]
	for release, want := range map[string][2]string{
		"4.20.0.0": {"bug #10789: x; fixed in 4.20.1.0 (fix #9888), 4.19.3.0 (fix #10712)",
			"update to 4.20.1.0 (fix #9888) or later, which is without bug #10789. On other lines it is fixed in " +
				"4.19.3.0 (fix #10712)."},
		"4.19.1.0": {"bug #10789: x; fixed in 4.19.3.0 (fix #10712), 4.20.1.0 (fix #9888)",
			"update to 4.19.3.0 (fix #10712) or later, which is without bug #10789. On other lines it is fixed in " +
				"4.20.1.0 (fix #9888)."},
		"4.18.2.4": {"bug #10789: x; fixed in 4.19.3.0 (fix #10712), 4.20.1.0 (fix #9888)",
			"bug #10789 is fixed in 4.19.3.0 (fix #10712), 4.20.1.0 (fix #9888). No release of the line 4.18 with a " +
				"fix is named here."},
		"4.20.2.0": {"bug #10789: x; fixed in 4.19.3.0 (fix #10712), 4.20.1.0 (fix #9888)",
			"bug #10789 is fixed in 4.19.3.0 (fix #10712), 4.20.1.0 (fix #9888). No release of the line 4.20 with a " +
				"fix is named here."},
	} {
		require.Equal(t, want, [2]string{b.told(release), b.todo(release)}, release)
	}
	require.Equal(t, "update to 4.20.1.0 or later, which is without this bug.",
		bug{Fixes: []fix{{nil, "4.20.1.0"}}}.todo("4.20.0.0"))
	require.Empty(t, bugsOf("#1111: nobody mended it")[0].todo("4.20.0.0"))
	require.Equal(t, map[string]bool{"#10712": true, "#9888": true},
		fixIssues("#10789: x; fixed by #10712 in 4.19.3.0 and #9888 in 4.20.1.0"))
}
