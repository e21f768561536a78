"""The module's instances: many requests in one, and what happens when one is lost."""

import asyncio
import contextlib
import os
import pathlib
import platform
import re
import stat
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

import apps
import beside
from beside import PASSWORD
from djedge import ConfigurationError, Limits, Outcome, Unavailable, _abi, _module
from djedge._abi import Op, Operation, Request
from djedge._instance import Instance, Lost


def asked(key, kind=Op.LOAD_USER):
    return Operation(kind, Request("GET", "/", "example.com", "https", [(b"cookie", b"sessionid=" + key.encode())]))


class Held:
    """A database whose answers wait until so many questions are there."""

    def __init__(self, database, wanted):
        self.database, self.wanted, self.waiting, self.go = database, wanted, 0, asyncio.Event()
        self.dialect, self.columns = database.dialect, database.columns

    async def query(self, atomic, statements, timeout):
        self.waiting += 1
        if self.waiting >= self.wanted:
            self.go.set()
        await self.go.wait()
        return await self.database.query(atomic, statements, timeout)


class Instances(apps.Site):
    async def test_200_requests_in_flight_on_one_instance_have_each_their_own_answer(self):
        keys = {}
        for _ in range(200):
            name = self.django.person()
            keys[self.django.session(name)] = name
        backend = self.backend()
        held = Held(backend.database, 200)
        backend.database = held
        results = asyncio.gather(*(backend.do(asked(key)) for key in keys))
        async with asyncio.timeout(60):
            await held.go.wait()
            engine = await backend.engine()
            (inst,) = engine.reads.idle
            self.assertEqual(inst.in_flight, 200)
            answers = await results
        self.assertEqual([backend.columns_of(r)["username"] for r in answers], list(keys.values()))
        self.assertEqual((inst.in_flight, inst.lost), (0, None))

    async def parked(self, count, **settings):
        """A backend with so many reads parked in its instance."""
        backend = self.backend(**settings)
        self.database_of = backend.database
        await backend.start()
        key = self.django.session(self.django.person())
        backend.database = Held(backend.database, 1 << 30)
        tasks = [asyncio.ensure_future(backend.do(asked(key))) for _ in range(count)]
        while backend.database.waiting < count:
            await asyncio.sleep(0.001)
        return backend, (await backend.engine()).reads, key, tasks

    async def test_reads_of_a_lost_instance_are_done_once_more(self):
        backend, reads, key, tasks = await self.parked(5)
        first = reads.idle[0]
        first.fuel = 1
        with self.assertLogs("djedge", "ERROR") as logged:
            backend.database.go.set()
            results = await asyncio.gather(*tasks)
        self.assertEqual({r.decision.outcome for r in results}, {Outcome.ALLOW})
        self.assertEqual(backend.database.waiting, 5 + 2 * 5, "once more: session and, no longer at once, user")
        self.assertIsNotNone(first.lost)
        self.assertNotIn(key, str(logged.output))
        with self.assertRaises(Lost):
            first.begin(b"")
        self.assertEqual((await backend.do(asked(key))).decision.outcome, Outcome.ALLOW)
        self.assertIsNot(reads.idle[0], first)

    async def test_a_read_that_is_lost_twice_is_unavailable(self):
        backend, reads, key, tasks = await self.parked(1)
        engine = await backend.engine()
        reads.idle[0].fuel = 1
        make, made = engine.large.make, []

        def short():
            inst = make()
            inst.fuel = 1
            made.append(inst)
            return inst

        engine.large.make = short
        with self.assertLogs("djedge", "ERROR"):
            backend.database.go.set()
            with self.assertRaises(Unavailable):
                await tasks[0]
        self.assertEqual(len(made), 1)

    async def test_what_writes_is_never_done_again(self):
        backend = self.backend()
        engine = await backend.engine()
        name = self.django.person()
        key = self.django.session(name)
        query, seen = backend.database.query, []

        async def count(atomic, statements, timeout):
            seen.append([s.name for s in statements])
            if any(s.name == "session_delete" for s in statements):
                for inst in lost:
                    inst.fuel = 1
            return await query(atomic, statements, timeout)

        lost = []
        for lane in (engine.alone, engine.hash):
            make = lane.make
            lane.make = lambda make=make: lost.append(make()) or lost[-1]
        backend.database.query = count
        with self.assertLogs("djedge", "ERROR"), self.assertRaises(Unavailable):
            await backend.do(Operation(Op.LOGOUT, Request("POST", "/", "example.com", "https", [(b"cookie", b"sessionid=" + key.encode())])))
        self.assertEqual(sum("session_delete" in names for names in seen), 1, seen)
        self.assertEqual(engine.alone.idle, [])

    async def test_a_client_that_goes_away_frees_its_place(self):
        backend, reads, key, tasks = await self.parked(3)
        inst = reads.idle[0]
        cancelled = []
        cancel = inst.cancel
        inst.cancel = lambda handle: cancelled.append(handle) or cancel(handle)
        tasks[0].cancel()
        with self.assertRaises(asyncio.CancelledError):
            await tasks[0]
        self.assertEqual(len(cancelled), 1)
        backend.database.go.set()
        self.assertEqual({r.decision.outcome for r in await asyncio.gather(*tasks[1:])}, {Outcome.ALLOW})
        self.assertIsNone(inst.lost)

    async def test_what_was_begun_is_finished_though_the_client_goes_away(self):
        backend = self.backend()
        await backend.start()
        key = self.django.session(self.django.person())
        held = backend.database = Held(backend.database, 1 << 30)
        op = Operation(Op.LOGOUT, Request("POST", "/", "example.com", "https", [(b"cookie", b"sessionid=" + key.encode())]))
        task = asyncio.ensure_future(backend.do(op))
        while not held.waiting:
            await asyncio.sleep(0.001)
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        held.go.set()
        await asyncio.gather(*backend._running)
        self.assertEqual(self.django.who(key), "")

    async def test_hashing_in_the_module_can_be_abandoned(self):
        backend = self.backend(kdf="module", pbkdf2_iterations=3_000_000)
        await backend.start()
        task = asyncio.ensure_future(backend.make_password(PASSWORD))
        await asyncio.sleep(0.3)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            while backend._running:
                await asyncio.sleep(0.01)
        self.assertTrue(await self.backend(kdf="module").make_password(PASSWORD))

    async def test_too_many_wait_only_so_long(self):
        backend = self.backend(limits=Limits(in_flight=1, wait=0.05))
        await backend.start()
        key = self.django.session(self.django.person())
        held = backend.database = Held(backend.database, 1 << 30)
        first = asyncio.ensure_future(backend.do(asked(key)))
        await asyncio.sleep(0.01)
        with self.assertRaises(Unavailable) as e:
            await backend.do(asked(key))
        self.assertEqual((e.exception.reason, e.exception.status), ("busy", 503))
        held.go.set()
        self.assertEqual((await first).decision.outcome, Outcome.ALLOW)

    async def test_hints_save_a_question(self):
        backend = self.backend()
        await backend.start()
        key = self.django.session(self.django.person())
        query, seen = backend.database.query, []

        async def count(atomic, statements, timeout):
            seen.append(len(statements))
            return await query(atomic, statements, timeout)

        backend.database.query = count
        for _ in range(2):
            self.assertEqual((await backend.do(asked(key))).decision.outcome, Outcome.ALLOW)
        self.assertEqual(seen, [1, 1, 2])
        self.assertNotIn(key.encode(), list(backend._hints))

    async def test_wrong_settings_are_refused_with_their_name(self):
        for settings, name in (({"session_cookie_samesite": "Sometimes"}, "session_cookie_samesite"), ({"no_such_thing": 1}, "no_such_thing"), ({"users_table": "nobodies"}, "nobodies")):
            backend = self.backend(**settings)
            with self.assertRaises((ConfigurationError, Unavailable)) as e:
                with self.assertLogs("djedge") if "users_table" in settings else contextlib.nullcontext():
                    await backend.start()
            if "users_table" not in settings:
                self.assertIn(name, str(e.exception))
        for settings in ({"secret": ""}, {"secret": None}, {"kdf": "gpu"}, {"session_engine": "file"}, {"session_hash_salt": "pepper"}):
            with self.assertRaises(ConfigurationError):
                self.backend(**settings)

    async def test_secrets_are_in_no_error_and_no_log(self):
        name, key = self.django.person(), self.django.session(self.django.person())
        backend = self.backend()
        await backend.start()

        async def fails(atomic, statements, timeout):
            raise ValueError(f"cannot bind {[s.args for s in statements]}")

        backend.database.query = fails
        with self.assertLogs("djedge") as logged:
            for op in (asked(key), Operation(Op.AUTHENTICATE, username=name, password=PASSWORD)):
                with self.assertRaises(Unavailable) as e:
                    await backend.allowed(op)
                for text in (str(e.exception), repr(e.exception), *logged.output):
                    self.assertNotIn(key, text)
                    self.assertNotIn(PASSWORD, text)


class Code(unittest.TestCase):
    """The module's file and its compiled code."""

    def test_a_module_that_was_changed_is_refused(self):
        with tempfile.TemporaryDirectory() as directory:
            where = _module._directory()
            for name in ("djedge.wasm.gz", "djedge.wasm.sha256"):
                (pathlib.Path(directory) / name).write_bytes((where / name).read_bytes())
            (pathlib.Path(directory) / "djedge.wasm.sha256").write_text("0" * 64 + "  djedge.wasm\n")
            real, _module.HERE = _module.HERE, pathlib.Path(directory)
            try:
                with self.assertRaisesRegex(ConfigurationError, "was changed"):
                    _module.read()
            finally:
                _module.HERE = real

    def test_compiled_code_is_kept_privately_and_checked(self):
        with tempfile.TemporaryDirectory() as base:
            cache = pathlib.Path(base) / "code"
            _module.Module(cache_dir=cache)
            (file,) = cache.iterdir()
            self.assertEqual((stat.S_IMODE(cache.stat().st_mode), stat.S_IMODE(file.stat().st_mode)), (0o700, 0o600))
            start = time.perf_counter()
            _module.Module(cache_dir=cache)
            print(f"\nloading compiled code takes {(time.perf_counter() - start) * 1e3:.0f} ms")
            # Code that was damaged is not run: it is compiled again.
            good = file.read_bytes()
            file.write_bytes(good[:100] + b"\0" + good[101:])
            self.assertIsNone(_module._cached(file))
            file.write_bytes(good)
            # Nor is code where others may write.
            if os.name == "posix":
                cache.chmod(0o777)
                with self.assertLogs("djedge", "WARNING"):
                    self.assertIsNone(_module._cache_file("0" * 64, cache))
                cache.chmod(0o700)
                link = pathlib.Path(base) / "link"
                link.symlink_to(cache)
                with self.assertLogs("djedge", "WARNING"):
                    self.assertIsNone(_module._cache_file("0" * 64, link))

    def test_kept_code_that_wasmtime_refuses_is_compiled_anew(self):
        with tempfile.TemporaryDirectory() as base:
            cache = pathlib.Path(base) / "code"
            _module.Module(cache_dir=cache)
            (file,) = cache.iterdir()
            good = file.read_bytes()[32:]
            # As wasmtime names the features that code needs: here one that no processor has.
            other = good.replace(b"has_avx", b"has_xyz") if b"has_avx" in good else good.replace(b"has_", b"had_")
            self.assertNotEqual(other, good)
            for code in (b"", b"no code at all", good[: len(good) // 2], other):
                _module._keep(file, code)
                self.assertEqual(_module._cached(file), code, "its digest is right")
                with self.assertLogs("djedge", "INFO") as logged:
                    Instance(_module.Module(cache_dir=cache))
                self.assertIn("anew", logged.output[0])
                with self.assertNoLogs("djedge", "INFO"):
                    Instance(_module.Module(cache_dir=cache))

    def test_code_that_an_image_was_built_with_is_found_where_it_runs(self):
        """The command of the Dockerfile in docs/runtimes/python.md, then a start on another kernel."""
        (command,) = re.findall(r"^RUN python -c '(.*)'$", (beside.ROOT / "docs/runtimes/python.md").read_text(), re.M)
        with tempfile.TemporaryDirectory() as home:
            env = {k: v for k, v in os.environ.items() if k not in ("XDG_CACHE_HOME", "PYTHONPATH")}
            subprocess.run([sys.executable, "-c", command], env={**env, "HOME": home, "PYTHONPATH": str(beside.HERE.parent / "src")}, check=True)
            (file,) = (pathlib.Path(home) / ".cache/djedge/python").iterdir()
            elsewhere = platform.uname()._replace(node="elsewhere", release="1.2.3-other", version="#1 of another day")
            with mock.patch.dict(os.environ, env | {"HOME": home}, clear=True), mock.patch("platform.uname", lambda: elsewhere), mock.patch("platform._platform_cache", {}):
                self.assertIn("1.2.3-other", platform.platform())
                with mock.patch("wasmtime.Module.__init__", side_effect=AssertionError("compiled once more")):
                    module = _module.Module()
                self.assertEqual(_module._cache_file(module.digest, None), file)

    def test_quick_calls_are_quick_ones_and_plain_ones_do_as_well(self):
        from djedge import _calls, _instance

        inst = Instance(_module.load())
        self.assertTrue(all(f.__qualname__.startswith("quick.") for f in inst._functions.values()), "wasmtime's bindings have changed")
        self.assertTrue(inst._refuel.__qualname__.endswith("put"))
        frame = _abi.configure([("dialect", "sqlite"), ("key_session", "sha256:" + "0" * 64), ("key_auth_hash", "sha256:" + "1" * 64)])
        answer = inst.configure(frame)
        real, _instance.quick = _instance.quick, _calls.plain
        try:
            self.assertEqual(Instance(_module.load()).configure(frame), answer)
        finally:
            _instance.quick = real

    def test_memory_is_bounded(self):
        with self.assertRaises(Lost):
            Instance(_module.load(cache_dir=None), memory=1 << 20)


def examples():
    """The examples of docs/abi.md: bytes by name."""
    text = (beside.ROOT / "docs/abi.md").read_text()
    blocks = re.findall(r"```hex (\w+)\n(.*?)```", text, re.S)
    return {name: bytes.fromhex("".join(line[:50] for line in block.splitlines())) for name, block in blocks}


class Messages(unittest.TestCase):
    """The codec against the bytes of docs/abi.md."""

    @classmethod
    def setUpClass(cls):
        cls.bytes = examples()

    NOW = 1_700_000_000_000_000

    def test_what_is_written(self):
        e = self.bytes
        self.assertEqual(_abi.configure([("dialect", "sqlite"), ("loopback", "true")]), e["configure"])
        check = Operation(Op.CHECK, Request("GET", "/r?a=1", "h:8", "https", [(b"cookie", b"sessionid=k")]), "authenticated", hint=7)
        self.assertEqual(_abi.begin(self.NOW, b"\1\2\3\4", check), e["begin"])
        state = _abi.State("", True, True, True, True, [_abi.Item("y", "2")])
        self.assertEqual(_abi.begin(self.NOW, b"", Operation(Op.SESSION_SAVE, session=state, status=200)), e["begin_save"])
        for name, answer in {
            "results": _abi.answer_results([_abi.Rows(1, [["k", 7]])]), "ok": _abi.answer_ok(), "duplicate": _abi.answer_duplicate(), "error": _abi.answer_error("timeout"),
            "key": _abi.answer_key(b"\xaa\xbb"), "declined": _abi.answer_declined(), "randomness": _abi.answer_random(b"\1\2"),
        }.items():  # fmt: skip
            self.assertEqual(_abi.resume(self.NOW, [answer]), e[name], name)

    def test_what_is_read(self):
        e = self.bytes
        configured = _abi.read_configured(e["configured"])
        self.assertEqual((configured.statements, configured.columns, configured.headers), ([("session_delete", "DELETE")], [("id", 0), ("is_staff", 1)], {b"cookie"}))
        self.assertEqual(_abi.read_configured(e["refused"]), "setting loopback: is neither true nor false")
        handle, (query,) = _abi.read_effects(e["query"], configured.statements)
        self.assertEqual((handle, query.atomic, [s.name for s in query.statements]), (1025, True, ["session_delete", "save_user"]))
        self.assertEqual(query.statements[1].args, [None, True, -2, 0.5, b"\xff", _abi.EPOCH.fromtimestamp(1_700_000_000, _abi.EPOCH.tzinfo)])
        _, (kdf,) = _abi.read_effects(e["kdf"], ())
        self.assertEqual(kdf, _abi.Derive(1, 1_000_000, 0, 0, 0, 0, 0, 32, b"pw", b"salt"))
        self.assertEqual(_abi.read_effects(e["random"], ())[1], [_abi.Random(32)])
        self.assertEqual(_abi.read_effects(e["yield"], ())[1], [_abi.Yield()])
        self.assertEqual(_abi.read_effects(e["storage"], ())[1], [_abi.Storage(2, "k", b"\x80\x05}\x94.", 1, 1209600)])
        done = _abi.read_done(e["done"])
        d = done.decision
        self.assertEqual((d.outcome, d.status, d.reason, d.identity), (Outcome.ALLOW, 200, "ok", _abi.Identity("7", "ann", "a@b", True, False)))
        self.assertEqual((d.set_headers, d.remove_headers, d.cookies, d.vary, d.rule), ([("Remote-User", "ann")], ["remote_user"], ["a=b; Path=/"], True, 2))
        self.assertEqual((done.session_key, done.user, done.session, done.permissions, done.groups, done.everything), ("k", [7, True], [_abi.Item("cart", "[1]")], ["a.b"], ["eds"], True))

    def test_what_cannot_be_read_is_malformed(self):
        readers = {"configured": _abi.read_configured, "done": _abi.read_done}
        readers.update({name: lambda b: _abi.read_effects(b, (("session_delete", "DELETE"),)) for name in ("query", "kdf", "random", "yield", "storage")})
        refused = 0
        for name, read in readers.items():
            good = self.bytes[name]
            read(good)
            for bad in [good[:i] for i in range(len(good))] + [good + b"\0"]:
                with self.assertRaises(_abi.Malformed):
                    read(bad)
            for i in range(len(good)):  # any byte may be anything: an answer, or Malformed, and nothing else
                for byte in (0, 1, 0x7F, 0xFF):
                    try:
                        read(good[:i] + bytes([byte]) + good[i + 1 :])
                    except _abi.Malformed:
                        refused += 1
        self.assertGreater(refused, 100)
        # Counts say nothing that is believed.
        with self.assertRaises(_abi.Malformed):
            _abi.read_done(b"\6" + _abi.record(_abi.record(), _abi.text(""), b"\xff\xff\xff\x7f"))
        with self.assertRaises(_abi.Malformed):
            _abi.read_effects(b"\4" + _abi.record(_abi._I64.pack(1), b"\1\0\0\0", b"\3", _abi.record(_abi._I64.pack(1 << 20))), ())


if __name__ == "__main__":
    unittest.main()
