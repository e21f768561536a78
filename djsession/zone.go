package djsession

import (
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/djedge/djedge/djsession/query"
)

// Time is t as the site's database keeps times. With USE_TZ = False, SQLite
// and MySQL have what the site's clock shows; PostgreSQL has an instant, since
// Django tells it the zone.
func (s *Store) Time(t time.Time) query.Value { return s.timeIn(new(query.TimeText), t) }

func (s *Store) timeIn(text *query.TimeText, t time.Time) query.Value {
	if s.set.Zone != nil && s.set.Dialect != query.PostgreSQL {
		t = s.clock(t)
	}
	return s.set.Dialect.TimeIn(text, t)
}

// Coerce is [query.Coerce] for a value of the site's database, whose times are
// as [Store.Time] writes them.
func (s *Store) Coerce(v query.Value, k query.Kind) query.Value {
	v = query.Coerce(v, k)
	if k != query.KindTime || v.Kind() != query.KindTime || s.set.Zone == nil || s.set.Dialect == query.PostgreSQL {
		return v
	}
	return query.Time(s.instant(v.Time()))
}

// clock is what the site's clock shows at t, as if that were UTC. So Django
// counts with USE_TZ = False: an hour that is skipped in spring is not missing.
func (s *Store) clock(t time.Time) time.Time {
	if s.set.Zone == nil {
		return t.UTC()
	}
	t = t.In(s.set.Zone)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// instant is when the site's clock shows t.
func (s *Store) instant(t time.Time) time.Time {
	if s.set.Zone == nil {
		return t
	}
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), s.set.Zone).UTC()
}

var errZone = errors.New(`not the offsets of a time zone, such as "3600 1711846800:7200 1729990800:3600"`)

const maxTransitions = 4096

// ParseZone makes a time zone of its offset from UTC and, for each change of
// that, the time (both in seconds, time since 1970) and the new offset, in order:
//
//	3600 1711846800:7200 1729990800:3600
//
// So a program without a database of time zones gets the site's from one that
// has it.
func ParseZone(name, offsets string) (*time.Location, error) {
	fields := strings.Fields(offsets)
	if len(fields) == 0 || len(fields) > maxTransitions {
		return nil, errZone
	}
	kinds := make(map[int64]byte) // offsets, in order of appearance
	var types, times, indexes []byte
	last := int64(-1 << 63)
	for i, field := range fields {
		at, offset, both := strings.Cut(field, ":")
		if i == 0 {
			offset = field
		}
		seconds, err := strconv.ParseInt(offset, 10, 64)
		if err != nil || seconds <= -86400 || seconds >= 86400 || both != (i > 0) {
			return nil, errZone
		}
		kind, known := kinds[seconds]
		if !known {
			if len(kinds) == 256 {
				return nil, errZone
			}
			kind = byte(len(kinds))
			kinds[seconds] = kind
			types = append(binary.BigEndian.AppendUint32(types, uint32(seconds)), 0, 0)
		}
		if i == 0 {
			continue
		}
		unix, err := strconv.ParseInt(at, 10, 64)
		if err != nil || unix <= last {
			return nil, errZone
		}
		last = unix
		times, indexes = binary.BigEndian.AppendUint64(times, uint64(unix)), append(indexes, kind)
	}
	// TZif, RFC 8536: an empty part in version 1, then the one in version 2.
	// The designation is one NUL, as no abbreviation is asked for.
	const version, empty = "TZif2\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 24
	data := append([]byte(version), make([]byte, empty)...)
	data = append(data, version...)
	for _, n := range []int{0, 0, 0, len(indexes), len(kinds), 1} {
		data = binary.BigEndian.AppendUint32(data, uint32(n))
	}
	data = append(append(append(append(data, times...), indexes...), types...), 0)
	zone, err := time.LoadLocationFromTZData(name, append(data, "\n\n"...))
	if err != nil {
		return nil, errZone
	}
	return zone, nil
}
