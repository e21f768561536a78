package djsession

import (
	"strings"
	"time"
	"unicode/utf8"
)

// parseISO reads what Python's datetime.fromisoformat does, as of 3.11: dates
// with or without dashes, ISO weeks, any one character as the separator, times
// down to fractions, "Z". A few odd forms are refused that Python reads and its
// isoformat never writes (24:00, as of 3.13). aware reports whether the text names an offset; without one t is in UTC.
func parseISO(s string) (t time.Time, aware, ok bool) {
	at := isoSeparator(s)
	if at < 0 || at > len(s) {
		return t, false, false
	}
	year, month, day, ok := isoDate(s[:at])
	if !ok {
		return t, false, false
	}
	var clock isoClock
	zone := time.UTC
	if rest := s[at:]; rest != "" {
		_, n := utf8.DecodeRuneInString(rest)
		clock, zone, aware, ok = isoTime(rest[n:])
	}
	if !ok || clock.hour > 23 || clock.minute > 59 || clock.second > 59 {
		return t, false, false
	}
	t = time.Date(year, time.Month(month), day, clock.hour, clock.minute, clock.second, clock.micro*1000, zone)
	return t, aware, true
}

// isoSeparator is where the date ends: characters 4 and 5 tell the formats
// apart (YYYY-MM-DD, YYYYMMDD, YYYY-Www, YYYY-Www-D, YYYYWww, YYYYWwwD).
func isoSeparator(s string) int {
	switch {
	case len(s) < 7:
		return -1
	case len(s) == 7:
		return 7
	case s[4] == '-' && s[5] != 'W':
		return 10
	case s[4] == '-':
		// YYYY-Www-## is taken as a week and an hour, as Python does.
		if len(s) > 8 && s[8] == '-' && !(len(s) > 10 && isDigit(s[10])) {
			return 10
		}
		return 8
	case s[4] != 'W':
		return 8
	}
	i := 7
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	switch {
	case i < 9:
		return i
	case i%2 == 0: // pairs of digits follow the week
		return 7
	}
	return 8
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// number reads s, which must be all digits.
func number(s string) (n int, ok bool) {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, s != ""
}

// isoDate reads a date of 7, 8 or 10 bytes.
func isoDate(s string) (year, month, day int, ok bool) {
	if len(s) < 7 {
		return
	}
	year, ok = number(s[:4])
	if !ok || year < 1 {
		return 0, 0, 0, false
	}
	dash := s[4] == '-'
	s = strings.TrimPrefix(s[4:], "-")
	if s[0] == 'W' {
		return isoWeekDate(year, s[1:], dash)
	}
	if dash && (len(s) != 5 || s[2] != '-') || !dash && len(s) != 4 {
		return 0, 0, 0, false
	}
	var okMonth, okDay bool
	month, okMonth = number(s[:2])
	day, okDay = number(s[len(s)-2:])
	if !okMonth || !okDay || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, 0, 0, false
	}
	return year, month, day, true
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// isoWeekDate reads ww, wwd or ww-d; without a day it is a Monday.
func isoWeekDate(year int, s string, dash bool) (y, m, d int, ok bool) {
	if len(s) < 2 {
		return
	}
	week, ok := number(s[:2])
	day := 1
	if rest := s[2:]; ok && rest != "" {
		if dash {
			if rest[0] != '-' {
				return 0, 0, 0, false
			}
			rest = rest[1:]
		}
		day, ok = number(rest)
		ok = ok && len(rest) == 1
	}
	_, weeks := time.Date(year, 12, 28, 0, 0, 0, 0, time.UTC).ISOWeek() // always in the last week
	if !ok || week < 1 || week > weeks || day < 1 || day > 7 {
		return 0, 0, 0, false
	}
	// January 4th is always in the first week.
	first := time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC)
	monday := first.AddDate(0, 0, -(int(first.Weekday())+6)%7)
	t := monday.AddDate(0, 0, 7*(week-1)+day-1)
	return t.Year(), int(t.Month()), t.Day(), t.Year() >= 1 && t.Year() <= 9999
}

type isoClock struct{ hour, minute, second, micro int }

// isoTime reads a time and an offset, HH[:MM[:SS[.ffffff]]] with or without
// colons, then nothing, "Z" or ±HH[:MM[:SS[.ffffff]]].
func isoTime(s string) (c isoClock, zone *time.Location, aware, ok bool) {
	zone = time.UTC
	at := strings.IndexAny(s, "+-Z")
	if at < 0 {
		c, ok = isoParts(s)
		return c, zone, false, ok
	}
	if c, ok = isoParts(s[:at]); !ok {
		return c, zone, false, false
	}
	if s[at] == 'Z' {
		return c, zone, true, at == len(s)-1
	}
	o, ok := isoParts(s[at+1:])
	offset := o.hour*3600 + o.minute*60 + o.second
	if !ok || offset >= 86400 {
		return c, zone, false, false
	}
	if offset == 0 { // CPython then takes UTC, and no fraction
		return c, zone, true, true
	}
	if s[at] == '-' {
		offset, o.micro = -offset, -o.micro
	}
	// Go knows no fractions in offsets, so the fraction moves the time.
	c.micro -= o.micro
	return c, time.FixedZone("", offset), true, true
}

// isoParts reads HH[:?MM[:?SS[{.,}f+]]]; digits beyond microseconds are dropped.
func isoParts(s string) (c isoClock, ok bool) {
	parts := [...]*int{&c.hour, &c.minute, &c.second}
	colons := false
	for i, part := range parts {
		if len(s) < 2 {
			return c, false
		}
		if *part, ok = number(s[:2]); !ok {
			return c, false
		}
		s = s[2:]
		if s == "" {
			return c, true
		}
		if i == 0 {
			colons = s[0] == ':'
		}
		if i == 2 || s[0] == '.' || s[0] == ',' {
			break
		}
		if colons {
			if s[0] != ':' {
				return c, false
			}
			s = s[1:]
		}
	}
	if s[0] != '.' && s[0] != ',' {
		return c, false
	}
	s = s[1:]
	if _, ok = number(s); !ok {
		return c, false
	}
	c.micro, _ = number((s + "00000")[:6])
	return c, true
}
