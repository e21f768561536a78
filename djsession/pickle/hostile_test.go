package pickle_test

import (
	"encoding/binary"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/pickle"
)

// in makes a session with the value that ops write.
func in(ops string) string { return "\x80\x04}\x8c\x01v" + ops + "s." }

// refused are pickles and why they are refused. Python loads some of them, and
// calls what they say.
var refused = map[string]struct {
	data   string
	reason pickle.Reason
}{
	"nothing":                {"", pickle.ReasonTruncated},
	"proto alone":            {"\x80", pickle.ReasonTruncated},
	"proto 1":                {"\x80\x01}.", pickle.ReasonProtocol},
	"proto 6":                {"\x80\x06}.", pickle.ReasonProtocol},
	"no proto":               {"}.", pickle.ReasonProtocol},
	"proto twice":            {"\x80\x04\x80\x04}.", pickle.ReasonOpcode},
	"no stop":                {"\x80\x04}", pickle.ReasonTruncated},
	"global":                 {in("cos\nsystem\n"), pickle.ReasonGlobal},
	"global cut":             {in("cdatetime\ndatetime"), pickle.ReasonGlobal},
	"global dotted":          {in("cdatetime\ndatetime.now\n"), pickle.ReasonGlobal},
	"global date":            {in("cdatetime\ndate\n"), pickle.ReasonGlobal},
	"global as value":        {in("cdatetime\ndatetime\n"), pickle.ReasonGlobal},
	"stack global":           {in("\x8c\x02os\x8c\x06system\x93"), pickle.ReasonGlobal},
	"stack global int":       {in("K\x01K\x02\x93"), pickle.ReasonGlobal},
	"stack global few":       {"\x80\x04\x8c\x08datetime\x93.", pickle.ReasonStack},
	"stack global path":      {in("\x8c\x08datetime\x8c\x0cdatetime.now\x93"), pickle.ReasonGlobal},
	"reduce a dict":          {in("})R"), pickle.ReasonCall},
	"reduce no tuple":        {in("cdatetime\ntimedelta\n]R"), pickle.ReasonCall},
	"reduce twice":           {in("cdatetime\ntimedelta\nK\x00K\x00K\x00\x87R)R"), pickle.ReasonCall},
	"delta of 2":             {in("cdatetime\ntimedelta\nK\x00K\x00\x86R"), pickle.ReasonCall},
	"delta of floats":        {in("cdatetime\ntimedelta\nK\x00K\x00G\x00\x00\x00\x00\x00\x00\x00\x00\x87R"), pickle.ReasonCall},
	"delta of a day":         {in("cdatetime\ntimedelta\nK\x00J\x80\x51\x01\x00K\x00\x87R"), pickle.ReasonCall},
	"zone of a day":          {in("cdatetime\ntimezone\ncdatetime\ntimedelta\nK\x01K\x00K\x00\x87R\x85R"), pickle.ReasonCall},
	"zone of minus one":      {in("cdatetime\ntimezone\ncdatetime\ntimedelta\nJ\xff\xff\xff\xffK\x00K\x00\x87R\x85R"), pickle.ReasonCall},
	"zone of a name":         {in("cdatetime\ntimezone\n\x8c\x03UTC\x85R"), pickle.ReasonCall},
	"date of month 0":        {in("cdatetime\ndatetime\nC\x0a\x07\xea\x00\x01\x00\x00\x00\x00\x00\x00\x85R"), pickle.ReasonCall},
	"date of feb 29":         {in("cdatetime\ndatetime\nC\x0a\x07\xea\x02\x1d\x00\x00\x00\x00\x00\x00\x85R"), pickle.ReasonCall},
	"date of hour 24":        {in("cdatetime\ndatetime\nC\x0a\x07\xea\x02\x01\x18\x00\x00\x00\x00\x00\x85R"), pickle.ReasonCall},
	"date of text":           {in("cdatetime\ndatetime\n\x8c\x0a2026-01-01\x85R"), pickle.ReasonCall},
	"date of None zone":      {in("cdatetime\ndatetime\nC\x0a\x07\xea\x01\x01\x00\x00\x00\x00\x00\x00N\x86R"), pickle.ReasonCall},
	"build":                  {in("}}b"), pickle.ReasonOpcode},
	"inst":                   {in("(ios\nsystem\n"), pickle.ReasonOpcode},
	"obj":                    {in("(cdatetime\ndatetime\no"), pickle.ReasonOpcode},
	"newobj":                 {in("cdatetime\ndatetime\n)\x81"), pickle.ReasonOpcode},
	"newobj_ex":              {in("cdatetime\ndatetime\n)}\x92"), pickle.ReasonOpcode},
	"persid":                 {in("P1\n"), pickle.ReasonOpcode},
	"binpersid":              {in("K\x01Q"), pickle.ReasonOpcode},
	"ext1":                   {in("\x82\x01"), pickle.ReasonOpcode},
	"ext2":                   {in("\x83\x01\x00"), pickle.ReasonOpcode},
	"ext4":                   {in("\x84\x01\x00\x00\x00"), pickle.ReasonOpcode},
	"next buffer":            {in("\x97"), pickle.ReasonOpcode},
	"readonly buffer":        {in("C\x00\x98"), pickle.ReasonOpcode},
	"dup":                    {in("]2a"), pickle.ReasonOpcode},
	"pop":                    {in("NN0"), pickle.ReasonOpcode},
	"text int":               {in("I1\n"), pickle.ReasonOpcode},
	"list on top":            {"\x80\x04].", pickle.ReasonTop},
	"two keys":               {"\x80\x04}(K\x01N\x8c\x011Nu.", pickle.ReasonKey},
	"nan key":                {in("}G\x7f\xf8\x00\x00\x00\x00\x00\x00Ns"), pickle.ReasonKey},
	"tuple key":              {in("})Ns"), pickle.ReasonKey},
	"list key":               {in("}]Ns"), pickle.ReasonKey},
	"bytes key":              {"\x80\x04}C\x01aNs.", pickle.ReasonKey},
	"set of lists":           {in("\x8f(]\x90"), pickle.ReasonType},
	"set of tuples of lists": {in("\x8f(]\x85\x85\x90"), pickle.ReasonType},
	"frozenset of a list":    {in("(]\x91"), pickle.ReasonType},
	"append to a dict":       {in("}Na"), pickle.ReasonType},
	"append to a tuple":      {in(")Na"), pickle.ReasonType},
	"item of a list":         {in("]K\x00Ns"), pickle.ReasonType},
	"add to a list":          {in("](N\x90"), pickle.ReasonType},
	"odd items":              {in("}(Nu"), pickle.ReasonStack},
	"odd dict":               {in("(Nd"), pickle.ReasonStack},
	"no mark":                {in("]Ne"), pickle.ReasonStack},
	"below the mark":         {"\x80\x04]NN(a.", pickle.ReasonStack},
	"tuple below the mark":   {"\x80\x04NN(\x86.", pickle.ReasonStack},
	"mark at the end":        {"\x80\x04}(.", pickle.ReasonStack},
	"nothing to append to":   {"\x80\x04N((Ne.", pickle.ReasonStack},
	"memo of nothing":        {"\x80\x04\x94.", pickle.ReasonStack},
	"memo unset":             {in("h\x00"), pickle.ReasonMemo},
	"memo far away":          {in("Nr\xff\xff\xff\x7f"), pickle.ReasonMemo},
	"memo read far":          {in("j\xff\xff\xff\xff"), pickle.ReasonMemo},
	"frame beyond":           {"\x80\x04\x95\x03\x00\x00\x00\x00\x00\x00\x00}.", pickle.ReasonTruncated},
	"frame of 2^64":          {"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xff}.", pickle.ReasonTruncated},
	"text of 2^64":           {in("\x8d\xff\xff\xff\xff\xff\xff\xff\xff"), pickle.ReasonTruncated},
	"text of 2^32":           {in("X\xff\xff\xff\xff"), pickle.ReasonTruncated},
	"bytes of 2^63":          {in("\x8e\x00\x00\x00\x00\x00\x00\x00\x80"), pickle.ReasonTruncated},
	"bytearray of 2^40":      {in("\x96\x00\x00\x00\x00\x00\x01\x00\x00"), pickle.ReasonTruncated},
	"long of -1":             {in("\x8b\xff\xff\xff\xff"), pickle.ReasonTruncated},
	"overlong text":          {in("\x8c\x02\xc0\x80"), pickle.ReasonText},
	"half surrogate":         {in("\x8c\x02\xed\xa0"), pickle.ReasonText},
	"beyond unicode":         {in("\x8c\x04\xf4\x90\x80\x80"), pickle.ReasonText},
	"dict in itself":         {"\x80\x04}\x94\x8c\x01ah\x00s.", pickle.ReasonCycle},
	"list in itself":         {in("]\x94h\x00a"), pickle.ReasonCycle},
	"list in its tuple":      {in("]\x94h\x00\x85a"), pickle.ReasonCycle},
	"dict in its list":       {in("}\x94\x8c\x01a]h\x00as"), pickle.ReasonCycle},
	"deep lists":             {in(strings.Repeat("]", 201) + strings.Repeat("a", 200)), pickle.ReasonDepth},
	"deep tuples":            {in(")" + strings.Repeat("\x85", 500_000)), pickle.ReasonValues},
	"deeper tuples":          {in(")" + strings.Repeat("\x85", 1000)), pickle.ReasonDepth},
	"doubled lists":          {in("(]" + doubled("]", "e") + "t"), pickle.ReasonExpanded},
	"doubled tuples":         {in("(N" + doubled("", "\x86") + "t"), pickle.ReasonExpanded},
	"doubled dicts":          {in("(}" + doubled("}", "u") + "t"), pickle.ReasonExpanded},
	"doubled sets":           {in("(N" + doubled("", "\x91") + "t"), pickle.ReasonExpanded},
	"repeated text":          {in("X\x00\x00\x04\x00" + strings.Repeat("x", 1<<18) + "\x94](" + strings.Repeat("h\x00", 1000) + "e\x86"), pickle.ReasonExpanded},
	"repeated dict":          {in("}\x94(" + strings.Repeat("K\x01N", 1000) + "u](" + strings.Repeat("h\x00", 130_000) + "e\x86"), pickle.ReasonValues},
	"digits":                 {in("\x8b\xfa\x06\x00\x00" + strings.Repeat("\xff", 1785) + "\x7f"), pickle.ReasonInteger},
	"many digits":            {in("\x8b\x00\x00\x01\x00" + strings.Repeat("\x7f", 1<<16)), pickle.ReasonInteger},
	"repeated digits":        {in("\x8b\xf9\x06\x00\x00" + strings.Repeat("\x7f", 1785) + "\x94](" + strings.Repeat("h\x00", 60_000) + "e\x86"), pickle.ReasonExpanded},
	"huge floats as keys":    {in("](" + strings.Repeat("}("+hugeFloats(15)+"u", 6800) + "e"), pickle.ReasonValues},
	"long keys again":        {in("](" + longKeys(15) + strings.Repeat("}("+longKeysAgain(15)+"u", 2000) + "e"), pickle.ReasonExpanded},
	"size":                   {"\x80\x04}." + strings.Repeat(" ", 1<<20), pickle.ReasonSize},
	"marks":                  {"\x80\x04" + strings.Repeat("(", 1_000_000), pickle.ReasonValues},
	"memos":                  {"\x80\x04N" + strings.Repeat("\x94", 1_000_000), pickle.ReasonValues},
}

// doubled makes, 40 times, a container that holds the one before twice. The
// containers are left on the stack.
func doubled(empty, fill string) string {
	out := ""
	for i := range 40 {
		get := "h" + string(rune(i))
		switch fill {
		case "e":
			out += "\x94" + empty + "(" + get + get + "e"
		case "u":
			out += "\x94" + empty + "(\x8c\x01a" + get + "\x8c\x01b" + get + "u"
		case "\x86":
			out += "\x94" + get + get + fill
		default:
			out += "\x94(" + get + get + fill
		}
	}
	return out
}

// hugeFloats are keys and values whose keys have 301 digits as integers.
func hugeFloats(n int) string {
	var b []byte
	for i := range n {
		b = binary.BigEndian.AppendUint64(append(b, 'G'), math.Float64bits(1e300)+uint64(i))
		b = append(b, 'N')
	}
	return string(b)
}

// longKeys are texts that differ at their end, in the memo; longKeysAgain has
// them as keys.
func longKeys(n int) (ops string) {
	for i := range n {
		ops += "X\x60\xea\x00\x00" + strings.Repeat("x", 59_999) + string(rune('a'+i)) + "\x94"
	}
	return ops
}

func longKeysAgain(n int) (ops string) {
	for i := range n {
		ops += "h" + string(rune(i)) + "N"
	}
	return ops
}

func TestRefused(t *testing.T) {
	for name, c := range refused {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			members, err := pickle.Decode(c.data, pickle.Limits{})
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			var refusal *pickle.Error
			if !errors.As(err, &refusal) || members != nil {
				t.Fatalf("decoded: %v, %v", members, err)
			}
			if refusal.Reason != c.reason {
				t.Errorf("refused for %v, not for %s", err, c.reason)
			}
			if refusal.Offset > len(c.data) || refusal.Offset < len(c.data) && refusal.Offset > 0 && c.data[refusal.Offset] != refusal.Opcode {
				t.Errorf("%v: no such opcode there", err)
			}
			if took > 5*time.Second { // on a busy machine under the race detector
				t.Errorf("took %v", took)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 100<<20 {
				t.Errorf("allocated %d MiB", used>>20)
			}
		})
	}
}

// TestEveryOpcode: each byte as an opcode, everywhere, is refused or bounded.
func TestEveryOpcode(t *testing.T) {
	for b := range 256 {
		for _, tail := range []string{"", "\x00", "N", "\x01x"} {
			data := "\x80\x04}\x94(" + strings.Repeat(string([]byte{byte(b)})+tail, 1<<18)
			if b == '.' {
				continue // the end
			}
			if _, err := pickle.Decode(data, pickle.Limits{}); !errors.Is(err, pickle.ErrUndecodable) {
				t.Errorf("opcode %#x is accepted, %v", b, err)
			}
		}
	}
}

func TestErrorsTellNoData(t *testing.T) {
	_, err := pickle.Decode(in("\x8c\x06secretcsecret\nsecret\n"), pickle.Limits{})
	const want = "undecodable pickle: global at opcode 0x63, offset 14"
	if err == nil || err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

func TestReasonsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for r := pickle.ReasonOpcode; r <= pickle.ReasonInteger; r++ {
		if s := r.String(); s == "unknown" || s == "none" || seen[s] {
			t.Errorf("reason %d is called %q", r, s)
		}
		seen[r.String()] = true
	}
	if (pickle.ReasonInteger + 1).String() != "unknown" {
		t.Error("a reason is missing above")
	}
}

func TestLimits(t *testing.T) {
	if _, err := pickle.Decode(in("]]a"), pickle.Limits{Depth: 2}); err != nil {
		t.Error(err)
	}
	if _, err := pickle.Decode(in("]]a"), pickle.Limits{Depth: 1}); err == nil {
		t.Error("two levels are accepted as one")
	}
	if _, err := pickle.Decode(in(strings.Repeat("]", 200)+strings.Repeat("a", 199)), pickle.Limits{Depth: 999}); err != nil {
		t.Error(err)
	}
	if _, err := pickle.Decode(in("N"), pickle.Limits{Bytes: 8}); err == nil {
		t.Error("nine bytes are accepted as eight")
	}
	if _, err := pickle.Decode(in("N"), pickle.Limits{Values: 2}); err == nil {
		t.Error("three values are accepted as two")
	}
	if _, err := pickle.Decode(in("N"), pickle.Limits{Expanded: 3}); err == nil {
		t.Error("null is accepted as three bytes")
	}
}
