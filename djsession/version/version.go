// Package version names the Django release whose formats are read and written.
package version

import (
	"strconv"
	"strings"

	"github.com/djedge/djedge/djsession/errorf"
)

// Version is a Django feature release, such as 5.2. The zero value means
// "not chosen"; see [Version.Or].
type Version struct{ Major, Minor int }

// Default is the release assumed when a site does not name its own.
var Default = Version{5, 2}

// Supported lists every release whose formats are known, oldest first.
var Supported = []Version{
	{2, 2}, {3, 0}, {3, 1}, {3, 2}, {4, 0}, {4, 1}, {4, 2}, {5, 0}, {5, 1}, {5, 2}, {6, 0}, {6, 1},
}

// Parse reads "5.2" or "5.2.19", as Django writes its release. It refuses one
// that is not in [Supported].
func Parse(s string) (Version, error) {
	for _, v := range Supported {
		rest, ok := strings.CutPrefix(s, v.String())
		if ok && (rest == "" || rest[0] == '.' && isNumber(rest[1:])) {
			return v, nil
		}
	}
	return Version{}, errorf.Errorf("django version %q is not supported (2.2, 3.0 to 3.2, 4.0 to 4.2, 5.0 to 5.2, 6.0, 6.1)", s)
}

// isNumber accepts decimal digits without a needless zero in front.
func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == "" && (s[0] != '0' || s == "0")
}

// AtLeast reports whether v is major.minor or newer.
func (v Version) AtLeast(major, minor int) bool {
	return v.Major > major || v.Major == major && v.Minor >= minor
}

// Or returns v, or def when no release was chosen.
func (v Version) Or(def Version) Version {
	if v == (Version{}) {
		return def
	}
	return v
}

func (v Version) String() string { return strconv.Itoa(v.Major) + "." + strconv.Itoa(v.Minor) }
