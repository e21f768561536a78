package host

import (
	"fmt"
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

// zoneOffsets writes a zone as docs/abi.md says.
func zoneOffsets(zone *time.Location) string {
	t := time.Unix(0, 0).In(zone)
	_, offset := t.Zone()
	var b strings.Builder
	b.WriteString(strconv.Itoa(offset))
	for {
		_, end := t.ZoneBounds()
		if end.IsZero() || end.Year() >= zoneYears {
			return b.String()
		}
		t = end
		if _, next := t.Zone(); next != offset { // else the abbreviation changes
			offset = next
			b.WriteString(" " + strconv.FormatInt(t.Unix(), 10) + ":" + strconv.Itoa(offset))
		}
	}
}
