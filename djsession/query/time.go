package query

import "time"

// Django's text form of a datetime (SQLite; MySQL takes it too) is
// "2006-01-02 15:04:05", with ".000000" unless the fraction is zero. It is
// written and read by hand: every check has both, and package time needs as
// long for one in a guest as the rest of the row takes.

// appendTime appends t, which is in UTC, as Django stores it.
func appendTime(b []byte, t time.Time) []byte {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	if year < 0 || year > 9999 { // nothing that Python knows
		return t.AppendFormat(b, timeText)
	}
	b = append(appendTwo(appendTwo(b, year/100), year%100), '-')
	b = append(appendTwo(b, int(month)), '-')
	b = append(appendTwo(b, day), ' ')
	b = append(appendTwo(b, hour), ':')
	b = append(appendTwo(b, minute), ':')
	b = appendTwo(b, second)
	if micro := t.Nanosecond() / 1000; micro > 0 {
		b = append(b, '.')
		b = appendTwo(appendTwo(appendTwo(b, micro/10000), micro/100%100), micro%100)
	}
	return b
}

func appendTwo(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// parseTime reads what appendTime writes, with one to six digits behind the
// point. ok is false for everything else, which may still be a time.
func parseTime(s string) (v Value, ok bool) {
	if len(s) < len(timeText) || len(s) > len(timeTextMicro) ||
		s[4] != '-' || s[7] != '-' || s[10] != ' ' || s[13] != ':' || s[16] != ':' {
		return v, false
	}
	century, year := two(s, 0), two(s, 2)
	month, day := two(s, 5), two(s, 8)
	hour, minute, second := two(s, 11), two(s, 14), two(s, 17)
	if century|year|month|day|hour|minute|second < 0 {
		return v, false
	}
	year += 100 * century
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59 {
		return v, false
	}
	micro := 0
	if len(s) > len(timeText) {
		if s[19] != '.' || len(s) == 20 {
			return v, false
		}
		for i := 20; i < 26; i++ {
			micro *= 10
			if i < len(s) {
				if s[i] < '0' || s[i] > '9' {
					return v, false
				}
				micro += int(s[i] - '0')
			}
		}
	}
	seconds := daysSince1970(year, month, day)*86400 + int64(hour*3600+minute*60+second)
	return Value{kind: KindTime, num: seconds*1_000_000 + int64(micro)}, true
}

// two reads two digits; it is negative when they are none.
func two(s string, at int) int {
	a, b := int(s[at])-'0', int(s[at+1])-'0'
	if uint(a) > 9 || uint(b) > 9 {
		return -1
	}
	return 10*a + b
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysSince1970 counts in years that begin in March, so that the odd day is the
// last of one.
func daysSince1970(year, month, day int) int64 {
	if month -= 3; month < 0 {
		month += 12
		year--
	}
	era := (year+400)/400 - 1 // of 400 years; year is -1 at least
	year -= era * 400
	days := year*365 + year/4 - year/100 + (153*month+2)/5 + day - 1
	return int64(era)*146097 + int64(days) - 719468
}
