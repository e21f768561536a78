package djuser

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/djedge/djedge/djuser/internal/py"
	"golang.org/x/text/unicode/norm"
)

// NormalizeUsername is Django's normalize_username: Unicode NFKC. It may
// lengthen a name up to 18 times, so bound the length before.
func NormalizeUsername(username string) string { return norm.NFKC.String(username) }

// LoginName is a name from a login form as AuthenticationForm cleans it: see
// [CleanLoginName], with the length of the column.
func (u *Users) LoginName(entered string) string {
	return CleanLoginName(entered, u.maxUsername())
}

// CleanLoginName is Django's UsernameField.to_python: white space around is
// stripped, in Python's sense, and NFKC is applied unless more than max
// characters are left (CVE-2023-46695: it is slow on long texts).
func CleanLoginName(entered string, max int) string {
	name := py.Strip(entered)
	if utf8.RuneCountInString(name) > max {
		return name
	}
	return NormalizeUsername(name)
}

// ValidUsername is UnicodeUsernameValidator: letters and digits in Python's
// sense, "_" and "@.+-". Length is not looked at.
func ValidUsername(username string) bool {
	for _, r := range username {
		if !isWord(r) && !strings.ContainsRune("@.+-", r) {
			return false
		}
	}
	return username != "" && utf8.ValidString(username)
}

// ValidUsernameASCII is ASCIIUsernameValidator.
func ValidUsernameASCII(username string) bool {
	for i := 0; i < len(username); i++ {
		if username[i] >= utf8.RuneSelf {
			return false
		}
	}
	return ValidUsername(username)
}

// isWord is Python's \w: str.isalnum() or "_". Letters are category L, and
// everything with a numeric value is one of N (½, ², ①) or a letter.
func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) }

// NormalizeEmail is Django's normalize_email: white space around is stripped
// and the domain, after the last "@", lower-cased. Without an "@" nothing is.
func NormalizeEmail(email string) string {
	stripped := py.Strip(email)
	at := strings.LastIndexByte(stripped, '@')
	if at < 0 {
		return email
	}
	return stripped[:at+1] + lower(stripped[at+1:])
}

// lower is Python's str.lower(), which differs from Go's in İ, and in Σ at the
// end of a word.
func lower(s string) string {
	if !strings.ContainsAny(s, "İΣ") {
		return strings.ToLower(s)
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == 'İ':
			b.WriteString("i\u0307")
		case r == 'Σ' && endsWord(s[:i], s[i+len("Σ"):]):
			b.WriteRune('ς')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// endsWord is the condition Final_Sigma of Unicode's SpecialCasing: a cased
// letter before and none after, looking through what has no case.
func endsWord(before, after string) bool {
	before = strings.TrimRightFunc(before, caseIgnorable)
	after = strings.TrimLeftFunc(after, caseIgnorable)
	last, _ := utf8.DecodeLastRuneInString(before)
	next, _ := utf8.DecodeRuneInString(after)
	return before != "" && cased(last) && (after == "" || !cased(next))
}

func cased(r rune) bool {
	return unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

func caseIgnorable(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) ||
		strings.ContainsRune("'.:·\u0387\u055f\u05f4\u2018\u2019\u2024\u2027\ufe13\ufe52\ufe55\uff07\uff0e\uff1a", r)
}
