"""Section pickle: what caches hold. See README.md for the classes; nothing here is ever loaded but the safe ones."""
import base64
import collections
import datetime
import decimal
import io
import pickle
import subprocess
import uuid
import zlib

from common import compact, plain, session_cases

HIGHEST = pickle.HIGHEST_PROTOCOL


def make(corpus):
    # Python makes them, not Django: one release per Python will do.
    if corpus.version < (5, 0):
        return
    rng = corpus.rng("pickle")
    safe(corpus, rng)
    typed(corpus, rng)
    hostile(corpus)
    malformed(corpus)
    odd(corpus)
    resource(corpus)


def b64(data):
    return base64.b64encode(data).decode()


def add_safe(corpus, tag, data, protocol=None, cls="safe", note=None):
    value = pickle.loads(data)  # our own bytes, of plain values
    fields = dict(tag=tag)
    if protocol is not None:
        fields["protocol"] = protocol
    fields.update({"b64": b64(data), "class": cls, "expected_json": compact(value)})
    if note:
        fields["note"] = note
    elif plain(value):
        fields["expected"] = value
    corpus.add("pickle", **fields)


def safe(corpus, rng):
    notes = {
        "intkeys": 'non-string keys survive in the cache engines; JSON turns them into strings: 1 -> "1", 2.5 -> "2.5", None -> "null"; a reader may refuse them instead',
        "tuple": "tuple survives in cache engines (would be a list through JSON)",
    }
    for name, value in session_cases(rng):
        if name in ("long", "many"):
            protocols = (2, HIGHEST)
        else:
            protocols = (2, 3, 4, 5)
        for protocol in protocols:
            add_safe(corpus, "safe/" + name, pickle.dumps(value, protocol), protocol, note=notes.get(name))
    shared = [1, 2]
    text = "xxx"
    more = [
        ("shared-ref", {"a": shared, "b": shared, "s": text}, (0, 1, 2, 3, 4, 5)), ("str300", {"a": "y" * 300}, (2, 4, 5)), ("ints", {str(n): n for n in (0, 255, 256, 65535, 65536, 2**31 - 1, 2**31, -2**31, -2**31 - 1, 2**2040)}, (2, 4, 5)),
        ("list1500", {"l": list(range(1500))}, (2, 5)), ("dict1100", {"k%d" % i: None for i in range(1100)}, (2, 5)), ("emptytuple", {"t": (), "t1": (1,), "t2": (1, 2), "t3": (1, 2, 3), "t4": (1, 2, 3, 4)}, (2, 4, 5)),
        ("nested50", nest(50), (2, 4, 5)), ("bools", {"t": True, "f": False, "n": None, "l": [True, False]}, (2, 4, 5)), ("big66000", {"a": "u" * 66000}, (5,)),
    ]
    for tag, value, protocols in more:
        for protocol in protocols:
            add_safe(corpus, "safe/" + tag, pickle.dumps(value, protocol), protocol, "optional" if protocol < 2 else "safe")
    out = io.BytesIO()
    pickle._Pickler(out, 5).dump({"a": [1, "b"]})
    add_safe(corpus, "safe/pure-python-pickler", out.getvalue(), 5)


def nest(depth):
    value = {}
    for _ in range(depth):
        value = {"n": value}
    return value


def typed(corpus, rng):
    utc = datetime.timezone.utc
    values = [
        ("datetime-naive", datetime.datetime(2026, 1, 2, 3, 4, 5, 678)), ("datetime-utc", datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=utc)), ("date", datetime.date(2026, 1, 2)),
        ("timedelta", datetime.timedelta(1, 2)), ("decimal", decimal.Decimal("1.50")), ("uuid", uuid.UUID(int=rng.getrandbits(128))), ("set", {1, 2}), ("frozenset", frozenset({1})), ("bytes", b"\x00\xff"),
        ("bytearray", bytearray(b"ab")), ("complex", 1j), ("ordereddict", collections.OrderedDict(a=1)), ("defaultdict", collections.defaultdict(int, a=1)),
    ]
    for tag, value in values:
        for protocol in (2, 4, 5):
            corpus.add("pickle", **{"tag": "typed/" + tag, "protocol": protocol, "b64": b64(pickle.dumps({"v": value, "_session_expiry": 5}, protocol)), "repr": repr(value), "class": "typed",
                                    "expected": {"policy": "refuse, or decode only this exact type; never call anything else"}})


class Call:
    """Pickles to a call of a function; unpickling it would make the call."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def refuse(corpus, tag, data, cls, text="refuse", protocol=None, **more):
    fields = {"tag": tag}
    if protocol is not None:
        fields["protocol"] = protocol
    corpus.add("pickle", **fields, **{"b64": b64(data)}, **more, **{"class": cls, "expected": {"error": text}})


def hostile(corpus):
    import codecs
    import os

    calls = [
        ("os.system", Call(os.system, "true"), (0, 2, 3, 4, 5)), ("eval", Call(eval, "1+1"), (0, 2, 3, 4, 5)), ("exec", Call(exec, "pass"), (2, 4, 5)), ("getattr", Call(getattr, "x", "upper"), (2, 4, 5)),
        ("popen", Call(subprocess.Popen, ["true"]), (2, 4, 5)), ("import", Call(__import__, "os"), (2, 4, 5)), ("open", Call(open, "/etc/passwd"), (2, 4, 5)), ("codecs", Call(codecs.encode, "x", "rot13"), (2, 4, 5)),
        ("map", Call(map, print, [1]), (2, 4, 5)), ("type", Call(type, "X", (), {}), (2, 4, 5)),
    ]
    for name, call, protocols in calls:
        for protocol in protocols:
            refuse(corpus, "hostile/%s/top" % name, pickle.dumps(call, protocol), "hostile", protocol=protocol)
            refuse(corpus, "hostile/%s/value" % name, pickle.dumps({"_auth_user_id": "1", "x": call}, protocol), "hostile", protocol=protocol)
        refuse(corpus, "hostile/%s/key" % name, pickle.dumps({"a": [1, 2, (call, 1)]}, 4), "hostile", protocol=4)
    for tag, data in [
        ("global-p0", b"cos\nsystem\n(S'true'\ntR."), ("inst", b"(S'true'\nios\nsystem\n."), ("obj", b"(cos\nsystem\nS'true'\no."), ("newobj", b"\x80\x02cbuiltins\nobject\n)\x81."),
        ("newobj_ex", b"\x80\x04\x8c\x08builtins\x8c\x06object\x93)}\x92."), ("build", b"\x80\x02}q\x00}q\x01X\x01\x00\x00\x00aK\x01sb."), ("persid", b"Pabc\n."), ("binpersid", b"\x80\x02U\x03abcQ."),
        ("ext1", b"\x80\x02\x82\x01."), ("ext2", b"\x80\x02\x83\x01\x00."), ("ext4", b"\x80\x02\x84\x01\x00\x00\x00."), ("global-only", b"\x80\x02cposix\nsystem\nq\x00."),
        ("dict-then-global", b"\x80\x04}\x94(\x8c\x01a\x8c\x05posix\x8c\x06system\x93u."), ("reduce-on-dict", b"\x80\x02}(K\x01tR."), ("memo-global", b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x930h\x00h\x01\x93."),
        ("next_buffer", b"\x80\x05\x97."), ("readonly_buffer", b"\x80\x05C\x01a\x98."), ("stack-global-in-key", b"\x80\x04}\x8c\x08builtins\x8c\x04eval\x93K\x01s."),
    ]:
        refuse(corpus, "hostile/hand/" + tag, data, "hostile")


def ask_python(data):
    """What Python's pickle makes of bytes that name nothing to call, without our trusting that: every global is refused."""
    class Blind(pickle.Unpickler):
        def find_class(self, module, name):
            raise pickle.UnpicklingError("global")

    try:
        return "python loads: %.60r" % (Blind(io.BytesIO(data)).load(),)
    except BaseException as e:  # MemoryError among them
        return "python raises: " + type(e).__name__


def malformed(corpus):
    huge = b"\xff\xff\xff\xff\xff\xff\xff\x7f"
    for tag, data in [
        ("empty", b""), ("nostop", b"\x80\x04}"), ("juststop", b"."), ("underflow", b"\x80\x02s."), ("badproto", b"\x80\xff}."), ("proto6", b"\x80\x06}."), ("badget", b"\x80\x02h\x05."),
        ("marknotfound", b"\x80\x02}K\x01K\x01u."), ("oddsetitems", b"\x80\x02}(K\x01u."), ("unhashable", b"\x80\x02}]K\x01s."), ("trunc-str", b"\x80\x04\x8c\x10ab."), ("badutf8", b"\x80\x04}\x8c\x02\xff\xfeK\x01s."),
        ("frame-short", b"\x80\x04\x95" + huge + b"}."), ("binunicode8-huge", b"\x80\x04\x8d" + huge + b"a."), ("long4-huge", b"\x80\x02\x8b\xff\xff\xff\x7fa."), ("long4-neg", b"\x80\x02\x8b\xff\xff\xff\xffa."),
        ("unknown-op", b"\x80\x02\xfe."), ("text", b"hello"), ("json", b'{"a":1}'), ("zlib", zlib.compress(pickle.dumps({"a": 1}, HIGHEST))), ("int-raw", b"123"), ("list-top", pickle.dumps([1], HIGHEST)),
        ("none-top", pickle.dumps(None, HIGHEST)), ("str-top", pickle.dumps("x", HIGHEST)), ("int-top", pickle.dumps(5, HIGHEST)), ("tuple-top", pickle.dumps(({},), HIGHEST)), ("append-to-dict", b"\x80\x02}K\x01a."),
        ("setitem-on-list", b"\x80\x02]K\x00K\x01s."), ("mark-stop", b"\x80\x02(."), ("memoize-empty", b"\x80\x04\x94."), ("frame-long", b"\x80\x04\x95\x01\x00\x00\x00\x00\x00\x00\x00}."), ("pop-empty", b"\x80\x020."),
        ("appends-no-list", b"\x80\x02(K\x01e."), ("tuple2-short", b"\x80\x02K\x01\x86."), ("long1-trunc", b"\x80\x02\x8a\x05a."), ("float-trunc", b"\x80\x02Gabc."),
    ]:
        refuse(corpus, "malformed/" + tag, data, "malformed", "refuse (not a session dict)", python=ask_python(data))
    for tag, data in [  # Python would ask the system for as much memory as these say
        ("binbytes8-huge", b"\x80\x04\x8e" + huge + b"a."), ("bytearray8-huge", b"\x80\x05\x96" + huge + b"a."), ("long_binput-huge", b"\x80\x02}r\xff\xff\xff\xff0."),
    ]:
        refuse(corpus, "malformed/" + tag, data, "malformed", "refuse (not a session dict)")


def odd(corpus):
    add_safe(corpus, "odd/trailing-after-stop", pickle.dumps({"a": 1}, 4) + b"junk", cls="optional")
    add_safe(corpus, "odd/dup-key", b"\x80\x04}(\x8c\x01aK\x01\x8c\x01aK\x02u.")
    add_safe(corpus, "odd/bool-p1", b"}(U\x01aI01\nU\x01bI00\nU\x01cI7\nu.", cls="optional")
    add_safe(corpus, "odd/no-frame", b"\x80\x05}\x8c\x01a\x8c\x01bs.")
    add_safe(corpus, "odd/proto2-with-short-unicode", b"\x80\x02}\x8c\x01a\x8c\x01bs.")
    add_safe(corpus, "odd/long-zero", b"\x80\x02}X\x01\x00\x00\x00a\x8a\x00s.")
    add_safe(corpus, "odd/long-padded", b"\x80\x02}X\x01\x00\x00\x00a\x8a\x03\x05\x00\x00s.")


def resource(corpus):
    laughs = b"\x80\x04]\x940"
    for i in range(40):
        laughs += b"](h" + bytes([i]) + b"h" + bytes([i]) + b"e\x940"
    refuse(corpus, "resource/billion-laughs", laughs + b"}\x8c\x01ah\x28s.", "resource", "refuse, or decode without expanding shared references (2^40 leaves)")
    refuse(corpus, "resource/deep-5000", b"\x80\x04}\x8c\x01a" + b"]" * 5000 + b"a" * 4999 + b"s.", "resource", "refuse or bounded")
    own = {}
    own["a"] = own
    refuse(corpus, "resource/self-ref", pickle.dumps(own, 4), "resource", "refuse (cycle)")
    refuse(corpus, "resource/many-marks", b"\x80\x04" + b"(" * 20000 + b".", "resource", "refuse or bounded")
