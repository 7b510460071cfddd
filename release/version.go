package release

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Version is the name of a release as CloudStack writes it: four numbers, which may be followed by a word such as
// SNAPSHOT. The branch from which the next release will be cut has the name "main" and stands above all numbers.
//
// The order of versions is that of their numbers. It says nothing about code: 4.21.0.0 is older code than 4.20.3.0. Ask
// a Range for that.
type Version struct {
	parts  [4]int
	suffix string // with its hyphen
	main   bool
}

// mainName is the version of the branch from which the next release will be cut.
const mainName = "main"

var versionForm = regexp.MustCompile(`^(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:\.(\d{1,4}))?(-[0-9A-Za-z.-]+)?$`)

// Parse reads a version of two to four numbers, such as 4.20, 4.20.1.0 or 4.22.0.0-SNAPSHOT, or "main". Numbers that
// are left out are 0.
func Parse(text string) (Version, error) {
	if text == mainName {
		return Version{main: true}, nil
	}
	m := versionForm.FindStringSubmatch(text)
	if m == nil {
		return Version{}, fmt.Errorf("release %q is not a version: want one such as %s", text, Default)
	}
	v := Version{suffix: m[5]}
	for i := range v.parts {
		if m[i+1] != "" {
			v.parts[i], _ = strconv.Atoi(m[i+1]) // the form allows digits only
		}
	}
	return v, nil
}

func (v Version) String() string {
	if v.main {
		return mainName
	}
	return fmt.Sprintf("%d.%d.%d.%d%s", v.parts[0], v.parts[1], v.parts[2], v.parts[3], v.suffix)
}

// Compare orders by number: negative when v is lower, 0 when equal, positive when higher. Suffixes do not count: a
// snapshot, or a vendor's build, behaves as the release that it is named after.
func (v Version) Compare(other Version) int {
	if v.main || other.main {
		return cmp.Compare(btoi(v.main), btoi(other.main))
	}
	return slices.Compare(v.parts[:], other.parts[:])
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sameLine says whether both are of one line, such as 4.19.
func (v Version) sameLine(other Version) bool {
	return v.main == other.main && v.parts[0] == other.parts[0] && v.parts[1] == other.parts[1]
}

// snapshot says whether the version is of a build before its release. A vendor's own build is of a release.
func (v Version) snapshot() bool {
	word := strings.ToLower(v.suffix)
	return strings.HasPrefix(word, "-snapshot") || strings.HasPrefix(word, "-nightly")
}
