package host

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a container may have no zones; the rules never have

	"github.com/djedge/djedge/wasm/abi"
)

// zoneYears is until when the changes of a zone are written out. What is later
// has the last offset.
const zoneYears = 2100

// addZone tells the rules the site's time zone, for which they have no
// database.
func (c *Config) addZone(settings []abi.Setting) ([]abi.Setting, error) {
	if c.NotUseTZ {
		settings = append(settings, abi.Setting{Name: "use_tz", Value: "false"})
	}
	if c.TimeZone == "" && !c.NotUseTZ {
		return settings, nil
	}
	name := or(c.TimeZone, "America/Chicago")
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("time_zone: %q is not the name of a time zone", name)
	}
	return append(settings, abi.Setting{Name: "time_zone", Value: zoneOffsets(zone)}), nil
}

// zoneOffsets writes a zone as docs/abi.md says. It looks at each day and then
// for the second, because Time.ZoneBounds does not always come to an end: for
// the last day of a leap year it may name that day itself.
func zoneOffsets(zone *time.Location) string {
	offsetAt := func(unix int64) int {
		_, offset := time.Unix(unix, 0).In(zone).Zone()
		return offset
	}
	const day = 86400
	offset := offsetAt(0)
	var b strings.Builder
	b.WriteString(strconv.Itoa(offset))
	last := time.Date(zoneYears, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	for unix := int64(0); unix < last; unix += day {
		if offsetAt(unix+day) == offset {
			continue
		}
		at := unix + int64(sort.Search(day, func(i int) bool { return offsetAt(unix+int64(i)) != offset }))
		offset = offsetAt(at)
		b.WriteString(" " + strconv.FormatInt(at, 10) + ":" + strconv.Itoa(offset))
	}
	return b.String()
}
