package pickle_test

import (
	"bufio"
	"encoding/base64"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession/pickle"
	"github.com/djedge/djedge/djsession/pyjson"
)

// generate writes lines: the protocol, a pickle in base64, and the JSON that
// is expected of it, or "!" where it is to be refused.
const generate = `
import base64, datetime, json, pickle, random, struct, sys
r = random.Random(20260115)
dt = datetime
TYPED = (tuple, set, frozenset, bytes, bytearray, dt.datetime, dt.timedelta, dt.timezone)
ints = [0, -1, 1, 255, 256, 65535, 65536, -128, -129, 2**31-1, 2**31, -2**31, -2**31-1, 2**53+1, 2**63-1, 2**63, -2**63, -2**63-1, 2**64, 10**18, 10**19, 10**27, -10**36, 2**2039-1, 2**2039, -2**2039, -2**2040, 10**4300-1, -10**4300+1]
texts = ["", "a", "b", "_auth_user_id", "é", "€", "😀", "\ud83d", "\ude00", "\ud83d\ude00", "\ude00\ud83d", "\0", "\x7f\x80\x9f", '"\\/<>&', "\u2028\ufeff", "x" * 255, "x" * 256, "é" * 128, "y" * 70000]

def text():
    return "".join(r.choice(texts[:-4]) for _ in range(r.randrange(4))) if r.random() < .8 else r.choice(texts)
def number():
    return r.choice(ints) if r.random() < .5 else r.getrandbits(r.randrange(1, 300)) * r.choice((1, -1))
def real():
    return r.choice([0.0, -0.0, 1.0, 1e16, 1e15, 1e-5, 1e-4, 5e-324, 1.7976931348623157e308, float("nan"), float("inf"), float("-inf"), -float("nan"), r.random(), r.gauss(0, 1e9), struct.unpack("d", struct.pack("Q", r.getrandbits(64)))[0]])
def delta(limit):
    return dt.timedelta(microseconds=r.choice([0, 1, -1, 60_000_000, 5400_000_000, -5400_000_000, r.randrange(-limit, limit + 1)]))
def zone():
    offset = delta(86_399_999_999)
    return r.choice([dt.timezone.utc, dt.timezone(offset), dt.timezone(dt.timedelta(minutes=r.randrange(-1439, 1440))), dt.timezone(offset, text())])
def date():
    d = dt.datetime(r.randrange(1, 10000), r.randrange(1, 13), r.randrange(1, 29), r.randrange(24), r.randrange(60), r.randrange(60), r.choice([0, 1, 999999, r.randrange(1000000)]), r.choice([None, zone()]), fold=r.randrange(2))
    return r.choice([d, dt.datetime.min, dt.datetime.max, dt.datetime(2024, 2, 29, tzinfo=dt.timezone.utc)])
def key():
    while True:
        k = r.choice([text, text, text, text, text, text, number, real, lambda: r.choice((True, False, None, 1, 1.0, 0))])()
        if k == k and (not isinstance(k, int) or abs(k) < 10**4300): return k

def hashable(protocol, depth):
    kinds = [text, number, real, lambda: None, lambda: True]
    if depth: kinds.append(lambda: tuple(hashable(protocol, depth-1) for _ in range(r.randrange(5))))
    if depth: kinds.append(lambda: frozenset(hashable(protocol, depth-1) for _ in range(r.randrange(4))))
    return r.choice(kinds)()
made = []
def value(protocol, depth):
    if made and r.random() < .1:
        return r.choice(made)  # a shared reference
    kinds = [text, text, number, real, lambda: r.choice((None, True, False)), lambda: delta(10**r.randrange(19)), zone]
    if protocol >= 3: kinds += [date, lambda: r.randbytes(r.choice([0, 3, 300]))]
    if protocol >= 5: kinds += [lambda: bytearray(r.randbytes(r.choice([0, 3, 300])))]
    if depth:
        kinds += [lambda: [value(protocol, depth-1) for _ in range(r.choice([0, 1, 2, 5]))],
                  lambda: {key(): value(protocol, depth-1) for _ in range(r.choice([0, 1, 2, 20]))},
                  lambda: tuple(value(protocol, depth-1) for _ in range(r.randrange(6)))] * 2
        if protocol >= 4:
            kinds += [lambda: {hashable(protocol, 2) for _ in range(r.randrange(4))}, lambda: frozenset(hashable(protocol, 2) for _ in range(r.randrange(4)))]
    v = r.choice(kinds)()
    made.append(v)
    return v

def duration(d):  # Django's duration_iso_string
    sign = ""
    if d < dt.timedelta(0): sign, d = "-", d * -1
    seconds = d.seconds
    return "{}P{}DT{:02d}H{:02d}M{:02d}{}S".format(sign, d.days, seconds // 3600, seconds // 60 % 60, seconds % 60, ".{:06d}".format(d.microseconds) if d.microseconds else "")
def view(v):
    if isinstance(v, dict): return {k: view(x) for k, x in v.items()}
    if isinstance(v, (list, tuple, set, frozenset)): return [view(x) for x in v]
    if isinstance(v, (bytes, bytearray)): return v.decode("latin-1")
    if isinstance(v, dt.datetime): return v.isoformat()
    if isinstance(v, dt.timedelta): return duration(v)
    if isinstance(v, dt.timezone): return str(v)
    return v
def expected(d):
    keys = [next(iter(json.loads(json.dumps({k: 0})))) if not isinstance(k, str) else k for k in d]
    if len(set(keys)) < len(keys): return "!"
    return json.dumps(view(d), separators=(",", ":"))
def emit(d, protocol):
    print(protocol, base64.b64encode(pickle.dumps(d, protocol)).decode(), expected(d))

for protocol in range(2, 6):
    for n in ints: emit({"n": n, "m": [n]}, protocol)
    for t in texts: emit({t: t, "l": [t, t, {t: t}]}, protocol)
    emit({"k%d" % i: i for i in range(2500)}, protocol)
    emit({"l": list(range(2500)), "t": tuple(range(2500)), "d": {i: [] for i in range(2500)}}, protocol)
    emit({1: 2, 2.5: (), True: 3, None: 4, -1: [None], 10**30: "x"}, protocol)
    emit({"d": {10**30: 1, 1e30: 2, 1: 3, True: 4, 0: 5, -0.0: 6, False: 7, float(10**22): 8, 10**22: 9}}, protocol)
    for _ in range(1000):
        made = []
        emit({(key() if r.random() < .1 else text()): value(protocol, 4) for _ in range(r.randrange(6))}, protocol)
`

// compare reads lines: "pickle" and two pickles, or "json", a pickle and a JSON
// text, all
// in base64. It writes the lines that differ. An audit hook keeps Python from
// loading any other name, should this package let one through.
const compare = `
import base64, datetime, json, pickle, resource, struct, sys
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
def audit(event, args):
    if event == "pickle.find_class" and args not in [("datetime", "datetime"), ("datetime", "timezone"), ("datetime", "timedelta")]:
        raise pickle.UnpicklingError("the name %s.%s" % args)
sys.addaudithook(audit)
load = pickle.loads
def canonical(v):  # sets have no order
    if isinstance(v, tuple): return "(" + ",".join(map(canonical, v)) + ")"
    if isinstance(v, frozenset): return "{" + ",".join(sorted(map(canonical, v))) + "}"
    return repr(v)
def same(a, b):
    if type(a) is not type(b): return False
    if isinstance(a, dict): return len(a) == len(b) and all(same(k, l) and same(x, y) for (k, x), (l, y) in zip(a.items(), b.items()))
    if isinstance(a, (list, tuple)): return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (set, frozenset)): return sorted(map(canonical, a)) == sorted(map(canonical, b))
    if isinstance(a, float): return struct.pack("d", a) == struct.pack("d", b)
    if isinstance(a, datetime.datetime): return a.replace(tzinfo=None) == b.replace(tzinfo=None) and a.fold == b.fold and same(a.tzinfo, b.tzinfo)
    if isinstance(a, datetime.timezone): return a.__reduce__() == b.__reduce__()
    return a == b
n = 0
for line in sys.stdin:
    kind, a, b = line.split(" ")
    n += 1
    try:
        a, b = load(base64.b64decode(a)), base64.b64decode(b)
        if not same(a, load(b) if kind == "pickle" else json.loads(b)): print(line, end="")
    except Exception as e:
        print(repr(e), line, end="")
print("compared", n)
`

func python(t *testing.T) string {
	path, err := exec.LookPath("python3")
	if err == nil {
		err = exec.Command(path, "-c", "import sys; sys.exit(not hasattr(sys, 'get_int_max_str_digits'))").Run()
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("python3, of a version that bounds the digits of numbers, is needed in CI")
		}
		t.Skip("no python3 that bounds the digits of numbers")
	}
	return path
}

func run(t *testing.T, program, in string) *bufio.Scanner {
	cmd := exec.Command(python(t), "-c", program)
	cmd.Stdin, cmd.Stderr = strings.NewReader(in), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(strings.NewReader(string(out)))
	lines.Buffer(nil, 16<<20)
	return lines
}

// comparison collects what Python is to compare.
type comparison struct {
	strings.Builder
	n int
}

func (c *comparison) add(kind, a, b string) {
	c.WriteString(kind + " " + base64.StdEncoding.EncodeToString([]byte(a)) + " " + base64.StdEncoding.EncodeToString([]byte(b)) + "\n")
	c.n++
}

func (c *comparison) check(t *testing.T) {
	lines := run(t, compare, c.String())
	last := ""
	for bad := 0; lines.Scan(); last = lines.Text() {
		if bad++; bad < 10 && !strings.HasPrefix(lines.Text(), "compared") {
			t.Errorf("Python differs: %.2000s", lines.Text())
		}
	}
	if want := "compared " + strconv.Itoa(c.n); last != want || c.n == 0 {
		t.Errorf("Python stopped at %.200s, not at %s", last, want)
	}
}

// withoutFragments is members as JSON alone says them.
func withoutFragments(members []pickle.Member) []pickle.Member {
	out := make([]pickle.Member, len(members))
	for i, m := range members {
		out[i] = pickle.Member{Key: m.Key, Raw: m.Raw}
	}
	return out
}

// throughJSON reports whether key is the same after json.loads(json.dumps(key)),
// which joins surrogates that stand side by side.
func throughJSON(key string) bool {
	again, ok := pyjson.Unquote(pyjson.Quote(key))
	return ok && again == key
}

// TestCPython: what Python pickles is shown as Python's json shows it, and what
// is written is to Python what it was.
func TestCPython(t *testing.T) {
	var compared comparison
	for lines := run(t, generate, ""); lines.Scan(); {
		fields := strings.SplitN(lines.Text(), " ", 3)
		data, err := base64.StdEncoding.DecodeString(fields[1])
		if err != nil {
			t.Fatal(err)
		}
		members, err := pickle.Decode(string(data), pickle.Limits{})
		if fields[2] == "!" {
			if err == nil {
				t.Errorf("%s is decoded", fields[1])
			}
			continue
		}
		if got := object(members); err != nil || got != fields[2] {
			t.Fatalf("%s\nis    %.3000s (%v)\nwants %.3000s", fields[1], got, err, fields[2])
		}
		for protocol := 2; protocol <= 5; protocol++ {
			again, err := pickle.Encode(members, protocol)
			if err != nil {
				t.Fatalf("%s: %v", fields[1], err)
			}
			if len(again) < 4000 || protocol == 4 {
				compared.add("pickle", string(data), again)
			}
		}
		if slices.ContainsFunc(members, func(m pickle.Member) bool { return !throughJSON(m.Key) }) {
			continue
		}
		again, err := pickle.Encode(withoutFragments(members), 2+compared.n/4%4)
		if err != nil {
			t.Fatalf("%s: %v", fields[1], err)
		}
		compared.add("json", again, fields[2])
	}
	compared.check(t)
}

// TestCPythonDamaged: a damaged pickle that is decoded all the same is to
// Python what it is here. (What is refused here Python may run.)
func TestCPythonDamaged(t *testing.T) {
	python(t)
	var seeds []string
	for _, v := range vectors(t) {
		if data := v.data(t); len(data) < 1000 && (v.Class == "safe" || v.Class == "typed") {
			seeds = append(seeds, data)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(refused)) {
		if data := refused[name].data; len(data) < 1000 {
			seeds = append(seeds, data)
		}
	}
	const interesting = "(.NJKMGXBC})]dlteasuqrhjcR\x80\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x93\x94\x95\x96\x00\x01\x02\xff02b"
	r := rand.New(rand.NewPCG(5, 6))
	var compared comparison
	accepted := map[string]bool{}
	for range 100_000 {
		data := seeds[r.IntN(len(seeds))]
		for range 1 + r.IntN(3) {
			if len(data) == 0 {
				break
			}
			i := min(2+r.IntN(len(data)), len(data)-1)
			at := r.IntN(len(interesting))
			c := interesting[at : at+1]
			switch r.IntN(4) {
			case 0:
				data = data[:i] + c + data[i+1:]
			case 1:
				data = data[:i] + c + data[i:]
			case 2:
				data = data[:i] + data[i+1:]
			default:
				j := min(len(data), i+r.IntN(12))
				data = data[:i] + data[i:j] + data[i:]
			}
		}
		if accepted[data] {
			continue
		}
		members, err := pickle.Decode(data, fuzzLimits)
		if err != nil {
			continue
		}
		accepted[data] = true
		again, err := pickle.Encode(members, 2+r.IntN(4))
		if err != nil {
			t.Fatalf("%q is %q, but %v", data, members, err)
		}
		compared.add("pickle", data, again)
	}
	if len(accepted) < 1000 {
		t.Errorf("only %d damaged pickles are decoded", len(accepted))
	}
	compared.check(t)
}
