package gate

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A path is compared with rules by its segments, after one decoding. Servers
// disagree about much of what a path may hold: whether "//" is "/", whether
// ".." was resolved before or after decoding, whether "%2f" separates, where
// ";" begins parameters, whether "%252e" is decoded again. For each of these
// there are advisories by which a rule was passed by, so whatever two servers
// may read differently is not normalised here but refused.

// splitPath is the segments of a request's path, decoded; "/a/b/" and "/a/b"
// are one. The query is left out. why says what is ambiguous, "" when nothing is.
func splitPath(uri string) (segments []string, why string) {
	raw, _, _ := strings.Cut(uri, "?")
	if !strings.HasPrefix(raw, "/") {
		return nil, "it does not begin with a slash" // nor is it absolute
	}
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c <= ' ' || c == 0x7f:
			return nil, "it has a blank or a control character"
		case c == '%' && (i+2 >= len(raw) || !isHex(raw[i+1]) || !isHex(raw[i+2])):
			return nil, "a percent sign begins no escape"
		}
	}
	if raw == "/" {
		return nil, ""
	}
	raw = strings.TrimSuffix(raw[1:], "/")
	segments = strings.Split(raw, "/")
	for i := range segments {
		segments[i] = percentDecode(segments[i])
		if why := ambiguous(segments[i]); why != "" {
			return nil, why
		}
	}
	return segments, ""
}

// ambiguous says why servers may disagree about a decoded segment.
func ambiguous(segment string) string {
	switch segment {
	case "":
		return "it has an empty segment"
	case ".", "..":
		return "it has a dot segment"
	}
	if !utf8.ValidString(segment) {
		return "it is not UTF-8"
	}
	for _, r := range segment {
		switch {
		case r == '/' || r == '\\':
			return "a segment has a slash or a backslash"
		case r == ';':
			return "it has path parameters"
		case r == '%':
			return "it is encoded twice"
		case r == '?' || r == '#':
			return "a segment has a question mark or a number sign"
		case unicode.IsControl(r):
			return "it has a control character"
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r):
			return "it has an invisible character"
		}
	}
	// What a server makes of it that trims names or applies compatibility forms.
	switch folded := fold(segment); {
	case folded == "":
		return "it has a dot segment"
	case strings.ContainsAny(folded, `/\;%?#`):
		return "a segment has a character that stands for a separator"
	}
	return ""
}

// fold is what a segment may be to a server that ignores case, compatibility
// forms, or dots and blanks at the end of a name, as some file systems do.
func fold(segment string) string {
	for i := 0; i < len(segment); i++ {
		if segment[i] >= utf8.RuneSelf {
			segment = norm.NFKC.String(segment)
			break
		}
	}
	return strings.TrimRight(strings.ToLower(strings.ToUpper(segment)), ". ")
}

func foldAll(segments []string) []string {
	folded := make([]string, len(segments))
	for i := range segments {
		folded[i] = fold(segments[i])
	}
	return folded
}

// hasPrefix reports whether path begins with the whole segments of prefix.
func hasPrefix(path, prefix []string) bool {
	if len(path) < len(prefix) {
		return false
	}
	for i := range prefix {
		if path[i] != prefix[i] {
			return false
		}
	}
	return true
}
