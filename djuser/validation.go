package djuser

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/djedge/djedge/djsession/errorf"
)

// The codes of a refused password, as Django's ValidationError carries them.
const (
	PasswordTooSimilar      = "password_too_similar"
	PasswordTooShort        = "password_too_short"
	PasswordTooCommon       = "password_too_common"
	PasswordEntirelyNumeric = "password_entirely_numeric"
)

// PasswordValidator is one entry of AUTH_PASSWORD_VALIDATORS. Options that its
// validator does not have are not looked at; zero values are Django's defaults.
type PasswordValidator struct {
	// Name is the class of django.contrib.auth.password_validation, with its
	// path or without: UserAttributeSimilarityValidator,
	// MinimumLengthValidator, CommonPasswordValidator or NumericPasswordValidator.
	Name string
	// UserAttributes is user_attributes: username, first_name, last_name, email.
	UserAttributes []string
	// MaxSimilarity is max_similarity, 0.7; at least 0.1 (CVE-2021-45115).
	MaxSimilarity float64
	// MinLength is min_length in code points, 8.
	MinLength int
	// Common is the list at password_list_path, in lower case; nil is the one
	// that Django 5.0 to 6.1 ship. (Older ones differ in 3 of 100 passwords.)
	Common []string
}

// DefaultPasswordValidators are the four that startproject writes into a new
// site's settings. Django's own default is none.
func DefaultPasswordValidators() []PasswordValidator {
	return []PasswordValidator{
		{Name: "UserAttributeSimilarityValidator"},
		{Name: "MinimumLengthValidator"},
		{Name: "CommonPasswordValidator"},
		{Name: "NumericPasswordValidator"},
	}
}

// PasswordValidators says whether a password is good enough for a user. Django
// asks in its forms and commands, not when a password is set by a program; so
// do we. It is safe for concurrent use.
type PasswordValidators struct {
	checks []func(password string, attribute func(string) string) Refusal
}

// Refusal is one validator's: the code and the English message of its
// ValidationError. The zero Refusal is none.
type Refusal struct{ Code, Message string }

const validationPath = "django.contrib.auth.password_validation."

// NewPasswordValidators prepares the validators in their order. An error names
// the one that is wrong.
func NewPasswordValidators(validators ...PasswordValidator) (*PasswordValidators, error) {
	all := &PasswordValidators{}
	for _, v := range validators {
		switch strings.TrimPrefix(v.Name, validationPath) {
		case "UserAttributeSimilarityValidator":
			if v.MaxSimilarity == 0 {
				v.MaxSimilarity = 0.7
			}
			if !(v.MaxSimilarity >= 0.1) {
				return nil, errorf.Errorf("auth_password_validators: max_similarity %v is less than 0.1", v.MaxSimilarity)
			}
			if v.UserAttributes == nil {
				v.UserAttributes = []string{"username", "first_name", "last_name", "email"}
			}
			all.checks = append(all.checks, v.similar)
		case "MinimumLengthValidator":
			if v.MinLength == 0 {
				v.MinLength = 8
			}
			all.checks = append(all.checks, v.short)
		case "CommonPasswordValidator":
			all.checks = append(all.checks, v.common())
		case "NumericPasswordValidator":
			all.checks = append(all.checks, numeric)
		default:
			return nil, errorf.Errorf("auth_password_validators: %q is none of Django's four", v.Name)
		}
	}
	return all, nil
}

// Validate returns the codes of all validators that refuse the password, in
// their order; none means that it is good. attribute gives the user's
// attributes by name, "" for what the user has not; nil is no user. The caller
// bounds the password's length.
func (all *PasswordValidators) Validate(password string, attribute func(name string) string) (codes []string) {
	for _, refusal := range all.Refusals(password, attribute) {
		codes = append(codes, refusal.Code)
	}
	return codes
}

// Refusals is Validate with Django's messages.
func (all *PasswordValidators) Refusals(password string, attribute func(name string) string) (refusals []Refusal) {
	for _, check := range all.checks {
		if refusal := check(password, attribute); refusal.Code != "" {
			refusals = append(refusals, refusal)
		}
	}
	return refusals
}

// ValidateFor validates a password for a user that exists.
func (all *PasswordValidators) ValidateFor(user *User, password string) (codes []string) {
	return all.Validate(password, func(name string) string {
		value, _ := user.Get(name)
		return value.Text()
	})
}

// similar compares with the attributes and with their words.
func (v PasswordValidator) similar(password string, attribute func(string) string) (none Refusal) {
	if attribute == nil {
		return none
	}
	password = lower(password)
	for _, name := range v.UserAttributes {
		value := lower(attribute(name))
		if value == "" {
			continue
		}
		for _, part := range append(words(value), value) {
			if !tooLong(password, part, v.MaxSimilarity) && quickRatio(password, part) >= v.MaxSimilarity {
				return Refusal{PasswordTooSimilar, "The password is too similar to the " + verboseName(name) + "."}
			}
		}
	}
	return none
}

// verboseName is a field's verbose_name in AbstractUser, or what a field has
// when none is given.
func verboseName(field string) string {
	if field == "email" {
		return "email address"
	}
	return strings.ReplaceAll(field, "_", " ")
}

// words is re.split(r"\W+", s), with the empty parts that it leaves at the ends.
func words(s string) (parts []string) {
	rest := s
	for {
		start := strings.IndexFunc(rest, func(r rune) bool { return !isWord(r) })
		if start < 0 {
			return append(parts, rest)
		}
		parts = append(parts, rest[:start])
		rest = strings.TrimLeftFunc(rest[start:], func(r rune) bool { return !isWord(r) })
	}
}

// tooLong is exceeds_maximum_length_ratio: the password is so much longer that
// the two cannot be similar, so that nobody makes us compare.
func tooLong(password, value string, maxSimilarity float64) bool {
	p, v := utf8.RuneCountInString(password), utf8.RuneCountInString(value)
	return p >= 10*v && float64(v) < maxSimilarity/2*float64(p)
}

// quickRatio is difflib.SequenceMatcher.quick_ratio: twice the number of
// common characters, in whatever order, over the number of all.
func quickRatio(a, b string) float64 {
	available := map[rune]int{}
	length, matches := 0, 0
	for _, r := range b {
		available[r]++
		length++
	}
	for _, r := range a {
		if available[r] > 0 {
			available[r]--
			matches++
		}
		length++
	}
	if length == 0 {
		return 1
	}
	return 2 * float64(matches) / float64(length)
}

func (v PasswordValidator) short(password string, _ func(string) string) (none Refusal) {
	if utf8.RuneCountInString(password) >= v.MinLength {
		return none
	}
	characters := " characters."
	if v.MinLength == 1 {
		characters = " character."
	}
	return Refusal{PasswordTooShort, "This password is too short. It must contain at least " + strconv.Itoa(v.MinLength) + characters}
}

func numeric(password string, _ func(string) string) (none Refusal) {
	for _, r := range password {
		if !isPythonDigit(r) {
			return none
		}
	}
	if password == "" {
		return none
	}
	return Refusal{PasswordEntirelyNumeric, "This password is entirely numeric."}
}

// isPythonDigit is str.isdigit() of one character: Unicode's decimal digits,
// and those that are digits without being decimal, such as "²" and "①".
func isPythonDigit(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= '0' && r <= '9'
	}
	return unicode.IsDigit(r) || unicode.Is(digits, r)
}

// digits are the characters of Numeric_Type Digit in UnicodeData.txt 14 and 15.
var digits = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0xb2, Hi: 0xb3, Stride: 1}, {Lo: 0xb9, Hi: 0xb9, Stride: 1}, {Lo: 0x1369, Hi: 0x1371, Stride: 1}, {Lo: 0x19da, Hi: 0x19da, Stride: 1},
		{Lo: 0x2070, Hi: 0x2070, Stride: 1}, {Lo: 0x2074, Hi: 0x2079, Stride: 1}, {Lo: 0x2080, Hi: 0x2089, Stride: 1},
		{Lo: 0x2460, Hi: 0x2468, Stride: 1}, {Lo: 0x2474, Hi: 0x247c, Stride: 1}, {Lo: 0x2488, Hi: 0x2490, Stride: 1}, {Lo: 0x24ea, Hi: 0x24ea, Stride: 1},
		{Lo: 0x24f5, Hi: 0x24fd, Stride: 1}, {Lo: 0x24ff, Hi: 0x24ff, Stride: 1}, {Lo: 0x2776, Hi: 0x277e, Stride: 1}, {Lo: 0x2780, Hi: 0x2788, Stride: 1},
		{Lo: 0x278a, Hi: 0x2792, Stride: 1},
	},
	R32: []unicode.Range32{
		{Lo: 0x10a40, Hi: 0x10a43, Stride: 1}, {Lo: 0x10e60, Hi: 0x10e68, Stride: 1}, {Lo: 0x11052, Hi: 0x1105a, Stride: 1}, {Lo: 0x1f100, Hi: 0x1f10a, Stride: 1},
	},
	LatinOffset: 2,
}

// ParsePasswordValidator reads a validator with its options on one line, lists
// by repeating the option:
//
//	MinimumLengthValidator min_length=12
//	UserAttributeSimilarityValidator user_attributes=username user_attributes=email max_similarity=0.5
//
// password_list_path is not among them: nothing here reads files.
func ParsePasswordValidator(text string) (v PasswordValidator, err error) {
	parts := strings.Fields(text)
	if len(parts) == 0 {
		return v, errors.New("is empty")
	}
	v.Name = parts[0]
	class := strings.TrimPrefix(v.Name, validationPath)
	for _, option := range parts[1:] {
		name, value, _ := strings.Cut(option, "=")
		switch class + "." + name {
		case "MinimumLengthValidator.min_length":
			if v.MinLength, err = strconv.Atoi(value); err != nil || v.MinLength < 1 {
				return v, errorf.Errorf("min_length: %q is not a number from 1 on", value)
			}
		case "UserAttributeSimilarityValidator.max_similarity":
			if v.MaxSimilarity, err = strconv.ParseFloat(value, 64); err != nil || !(v.MaxSimilarity >= 0.1) {
				return v, errorf.Errorf("max_similarity: %q is not a number from 0.1 on", value)
			}
		case "UserAttributeSimilarityValidator.user_attributes":
			v.UserAttributes = append(v.UserAttributes, value)
		default:
			return v, errorf.Errorf("%s has no option %q here", class, name)
		}
	}
	return v, nil
}
