package pickle_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession/pickle"
)

func TestEncodeRefuses(t *testing.T) {
	for name, m := range map[string]pickle.Member{
		"no JSON":               {Key: "k", Raw: "{"},
		"empty":                 {Key: "k"},
		"two values":            {Key: "k", Raw: "1 2"},
		"deep":                  {Key: "k", Raw: strings.Repeat("[", 201) + strings.Repeat("]", 201)},
		"key no text":           {Key: "\xff", Raw: "1"},
		"global":                {Key: "k", Pickled: "cos\nsystem\n"},
		"call":                  {Key: "k", Pickled: "cos\nsystem\n\x8c\x04true\x85R"},
		"class":                 {Key: "k", Pickled: "cdatetime\ndatetime\n"},
		"stop":                  {Key: "k", Pickled: "N."},
		"proto":                 {Key: "k", Pickled: "\x80\x04N"},
		"memo":                  {Key: "k", Pickled: "]\x94"},
		"memo read":             {Key: "k", Pickled: "]q\x00h\x00a"},
		"frame":                 {Key: "k", Pickled: "\x95\x00\x00\x00\x00\x00\x00\x00\x00N"},
		"nothing":               {Key: "k", Pickled: "(1"},
		"mark":                  {Key: "k", Pickled: "N("},
		"three values":          {Key: "k", Pickled: "NNN"},
		"deep fragment":         {Key: "k", Pickled: ")" + strings.Repeat("\x85", 201)},
		"key in the fragment":   {Key: "k", Pickled: "\x8c\x01kN"},
		"other key":             {Key: "2", Pickled: "K\x01N"},
		"key that is no key":    {Key: "1", Pickled: "]N"},
		"key that is not a key": {Key: "NaN", Pickled: "G\x7f\xf8\x00\x00\x00\x00\x00\x00N"},
	} {
		if data, err := pickle.Encode([]pickle.Member{m}, 4); err == nil || data != "" {
			t.Errorf("%s is written as %q, %v", name, data, err)
		}
	}
	for _, protocol := range []int{-1, 0, 1, 6} {
		if _, err := pickle.Encode(nil, protocol); !errors.Is(err, pickle.ErrProtocol) {
			t.Errorf("protocol %d: %v", protocol, err)
		}
		if _, err := pickle.EncodeValue(pickle.Member{Raw: "1"}, protocol); !errors.Is(err, pickle.ErrProtocol) {
			t.Errorf("protocol %d: %v", protocol, err)
		}
	}
	if _, err := pickle.EncodeValue(pickle.Member{Pickled: "K\x01N"}, 4); err == nil {
		t.Error("two values are written as one")
	}
}

// TestValues are values beside sessions; the pickles are Python's.
func TestValues(t *testing.T) {
	for _, c := range []struct{ data, raw, pickled string }{
		{"\x80\x05K\x05.", "5", ""},
		{"\x80\x05N.", "null", ""},
		{"\x80\x05\x95\x0a\x00\x00\x00\x00\x00\x00\x00GA\xda\xc5\x88\xfb\xa0jI.", "1796613102.5064871", ""},
		{"\x80\x05)." + "rest", "[]", ")"},
		{"\x80\x05\x95\x04\x00\x00\x00\x00\x00\x00\x00C\x00\x94.", `""`, "C\x00"},
	} {
		m, rest, err := pickle.DecodeValue(c.data, pickle.Limits{})
		if err != nil || m.Key != "" || m.Raw != c.raw || m.Pickled != c.pickled || !strings.HasSuffix(c.data, "."+rest) {
			t.Errorf("%q is %q, %q, %v", c.data, m, rest, err)
			continue
		}
		again, err := pickle.EncodeValue(m, 5)
		if err != nil {
			t.Errorf("%q: %v", c.data, err)
		}
		if got, rest, err := pickle.DecodeValue(again, pickle.Limits{}); err != nil || got != m || rest != "" {
			t.Errorf("%q comes back as %q, %q, %v", c.data, got, rest, err)
		}
	}
	if _, _, err := pickle.DecodeValue("\x80\x05cos\nsystem\n.", pickle.Limits{}); !errors.Is(err, pickle.ErrUndecodable) {
		t.Error(err)
	}
}
