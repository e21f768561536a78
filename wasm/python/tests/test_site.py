"""Sessions and users beside a real Django: what a program may do with them, and what happens when the database does not answer."""

import asyncio
import datetime
import json
import socket
import unittest

import apps
import beside
from aiohttp import web
from beside import OTHER, PASSWORD
from djedge import Denied, Unavailable, User, same_origin
from djedge._abi import Op
from djedge.session import Visit


def visit(backend, key="", method="POST", **headers):
    sent = [(b"cookie", b"sessionid=" + key.encode())] if key else []
    return Visit(backend, method, "/", "example.com", "https", sent + [(k.lower().replace("_", "-").encode(), v.encode()) for k, v in headers.items()])


class Sessions(apps.Site):
    async def test_the_session_is_a_dict_that_django_reads(self):
        values = {"text": "ü", "list": [1, {"a": None}], "float": 1.5, "true": True, "big": 10**20}
        async for url in self.doors():
            _, _, key = await self.send(url + "/api/set", values)
            data = self.django.session_data(key=key)
            name = self.django.person()
            django_key = self.django.session(name, **values)
            one, other = visit(self.backend(), key), visit(self.backend(), django_key)
            self.assertEqual(dict(await one.get_session()), values)
            self.assertEqual({k: v for k, v in (await other.get_session()).items() if not k.startswith("_auth")}, values)
            self.assertEqual(self.django.session_data(key=key), data)

    async def test_what_counts_as_a_change(self):
        backend = self.backend()
        changes = {
            "set": lambda s: s.__setitem__("a", 1), "delete": lambda s: s.__delitem__("list"), "pop": lambda s: s.pop("list"), "pop missing": lambda s: s.pop("x", None),
            "setdefault": lambda s: s.setdefault("x", 1), "setdefault there": lambda s: s.setdefault("list", 1), "update": lambda s: s.update({"x": 1}), "ior": lambda s: s.__ior__({"x": 1}),
            "clear": lambda s: s.clear(), "inside": lambda s: s["list"].append(2), "get": lambda s: s.get("list"), "modified": lambda s: setattr(s, "modified", True), "popitem": lambda s: s.popitem(),
        }  # fmt: skip
        for what, change in changes.items():
            key = self.django.session(self.django.person(), list=[1])
            v = visit(backend, key)
            session = await v.get_session()
            change(session)
            end = await v.end(200)
            self.assertEqual(bool(end.cookies), what not in ("pop missing", "setdefault there", "get"), what)
            self.assertEqual((end.vary, end.refusal), (True, None))
            again = await visit(backend, key).get_session()
            self.assertEqual(dict(again), dict(session), what)

    async def test_flush_cycle_and_expiry(self):
        backend = self.backend()
        name = self.django.person()
        key = self.django.session(name, color="blue")
        v = visit(backend, key)
        session = await v.get_session()
        session["more"] = 1
        await session.cycle_key()
        self.assertNotEqual(session.key, key)
        self.assertEqual((session["color"], session["more"]), ("blue", 1))
        self.assertEqual((self.django.who(key), self.django.who(session.key)), ("", name))
        session.set_expiry(datetime.timedelta(minutes=5))
        end = await v.end(200)
        self.assertIn("Max-Age=300", end.cookies[-1])
        cycled = session.key
        v = visit(backend, cycled)
        await (await v.get_session()).flush()
        self.assertEqual((dict(v.session), dict(await v.get_user()), v.session.key), ({}, {}, None))
        self.assertIn("Max-Age=0", (await v.end(200)).cookies[-1])
        self.assertEqual(self.django.who(cycled), "")

    async def test_a_cookie_that_leads_nowhere_is_taken_back(self):
        async for url in self.doors():
            status, _, new = await self.send(url + "/api/me", key="x" * 32)
            self.assertEqual((status, new), (200, ""))
            self.assertIn("Max-Age=0", self.cookie)
            status, _, new = await self.send(url + "/api/me", key="short")
            self.assertEqual((status, new), (200, ""))

    async def test_streams_and_redirects_have_their_cookie(self):
        url = await self.stack.enter_async_context(apps.serve_aiohttp(apps.aiohttp_app(self.backend())))
        for path, status, key in (("/stream", 200, "streamed"), ("/redirect", 302, "redirected")):
            found, _, new = await self.send(url + path)
            self.assertEqual(found, status)
            self.assertEqual(dict(await visit(self.backend(), new).get_session()), {key: True})

    async def test_user_and_session_are_one_question(self):
        backend = self.backend()
        name = self.django.person()
        key, spoilt = (self.django.session(name, list=[1]) for _ in range(2))
        data = self.django.session_data(key=spoilt)
        self.django.session_data(key=spoilt, data=data[:-1] + ("A" if data[-1] != "A" else "B"))
        v = visit(backend)
        (await v.get_session())["list"] = [1]
        await v.end(200)
        anonymous = v.session.key
        allowed, asked = backend.allowed, []

        async def count(op, *arguments, **named):
            asked.append(op.kind)
            return await allowed(op, *arguments, **named)

        backend.allowed = count

        async def kinds(key, *order):
            asked.clear()
            v = visit(backend, key)
            for what in order:
                await {"user": v.get_user, "session": v.get_session, "reload": v.user.reload}[what]()
            return list(asked), v

        for key_of, kinds_of in ((key, [Op.VISIT]), (anonymous, [Op.VISIT]), (spoilt, [Op.VISIT, Op.SESSION_LOAD]), ("", [Op.VISIT, Op.SESSION_LOAD])):
            alone, v = await kinds(key_of, "session")
            self.assertEqual(alone, [Op.SESSION_LOAD])
            found, w = await kinds(key_of, "user", "session")
            self.assertEqual((found, dict(w.session), w.session.key), (kinds_of, dict(v.session), v.session.key))
            self.assertEqual(await w.end(200), await v.end(200))
        self.assertEqual((await kinds(key, "session", "user"))[0], [Op.SESSION_LOAD, Op.LOAD_USER])
        found, v = await kinds(key, "user", "reload", "session")
        self.assertEqual((found, v.session["list"]), ([Op.VISIT] * 2, [1]))
        v = visit(backend, key)
        await v.get_user()
        await v.session.cycle_key()
        v.session["list"].append(2)
        self.assertTrue((await v.end(200)).cookies)
        self.assertEqual((await visit(backend, v.session.key).get_session())["list"], [1, 2])
        self.assertEqual(dict(await visit(backend, key).get_session()), {})

    async def test_two_middlewares_of_the_old_packages_are_one(self):
        import djedge.aiohttp

        backend = self.backend()

        async def handle(request):
            self.assertIs(backend.get_user_from_session(await request.get_session()), await request.get_user())
            return web.json_response(dict((await request.get_user()).items() & {("is_active", True)}))

        app = web.Application(middlewares=[djedge.aiohttp.middleware(backend), djedge.aiohttp.middleware(backend)])
        app.router.add_get("/", handle)
        url = await self.stack.enter_async_context(apps.serve_aiohttp(app))
        self.assertEqual((await self.send(url, key=self.django.session(self.django.person())))[:2], (200, {"is_active": True}))


class Users(apps.Site):
    async def test_changes_before_and_after_login_are_kept(self):
        for at_once in (False, True):
            backend = self.backend()
            name = self.django.person()
            v = visit(backend)
            session = await v.get_session()
            session["before"] = 1
            await v.user.authenticate(name, PASSWORD)
            login = v.user.login()
            if at_once:
                await login
                self.assertEqual(v.user["username"], name)
            session["after"] = 2
            end = await v.end(200)
            self.assertIsNone(end.refusal)
            self.assertEqual(sum(c.startswith("sessionid=") for c in end.cookies), 1, end.cookies)
            key = session.key
            self.assertEqual(self.django.who(key), name)
            again = await visit(backend, key).get_session()
            self.assertEqual((again["before"], again["after"]), (1, 2))

    async def test_a_session_after_logout_is_another(self):
        backend = self.backend()
        key = self.django.session(self.django.person(), old=1)
        v = visit(backend, key)
        user = await v.get_user()
        user.logout()
        (await v.get_session())["new"] = 1
        end = await v.end(200)
        self.assertEqual(dict(await visit(backend, v.session.key).get_session()), {"new": 1})
        self.assertNotEqual(v.session.key, key)
        self.assertIn(v.session.key, end.cookies[-1])

    async def test_a_logout_happens_though_the_handler_fails(self):
        backend = self.backend()
        name = self.django.person()
        key = self.django.session(name)
        v = visit(backend, key)
        (await v.get_user()).logout()
        await v.end(500)
        self.assertEqual(self.django.who(key), "")

    async def test_one_hash_is_enough_to_authenticate_and_log_in(self):
        backend = self.backend()
        name = self.django.person(await backend.make_password(PASSWORD))
        hashes, run = 0, backend.hashing.run

        async def count(f):
            nonlocal hashes
            hashes += 1
            return await run(f)

        backend.hashing.run = count
        v = visit(backend)
        await v.user.authenticate(name, PASSWORD)
        await v.user.login()
        self.assertEqual(hashes, 1)
        self.assertEqual(v.user._memo, {})

    async def test_create_save_and_reload(self):
        backend = self.backend()
        user = User(backend)
        name = f"made{self.django.people}{id(self)}"
        user.update(username=name, email="x@EXAMPLE.com", first_name="Ann", is_staff=True)
        user.set_password(PASSWORD)
        before = await self.pool.fetchval("SELECT count(*) FROM django_session")
        await user.create()
        self.assertEqual(await self.pool.fetchval("SELECT count(*) FROM django_session"), before, "a session was left behind")
        self.assertTrue(self.django.check_password(username=name, password=PASSWORD))
        self.assertEqual((user["email"], user["first_name"], user["is_staff"], user["is_active"]), ("x@example.com", "Ann", True, True))
        user["last_name"] = "Lee"
        user.set_password(OTHER)
        await user.save(["last_name"])
        self.assertTrue(self.django.check_password(username=name, password=PASSWORD))
        await user.save()
        self.assertTrue(self.django.check_password(username=name, password=OTHER))
        row = await self.pool.fetchrow("SELECT * FROM auth_user WHERE username = $1", name)
        self.assertEqual((row["last_name"], row["first_name"]), ("Lee", "Ann"))
        with self.assertRaises(Denied) as e:
            again = User(backend)
            again.update(username=name)
            again.set_password(PASSWORD)
            await again.create()
        self.assertEqual((e.exception.reason, e.exception.message), ("username_taken", "The username is already in use"))
        for field, value in (("username", "x" * 151), ("is_active", None), ("no_such_column", 1), ("id", 1)):
            user[field] = value
            with self.assertRaises(Denied, msg=field):
                await user.save([field])
            await user.authenticate(name, OTHER)

    async def test_permissions_are_djangos(self):
        backend = self.backend()
        name, boss = self.django.person(), self.django.person(is_superuser=True)
        await self.pool.execute("""INSERT INTO auth_user_user_permissions (user_id, permission_id)
            SELECT u.id, p.id FROM auth_user u, auth_permission p WHERE u.username = $1 AND p.codename = 'add_session'""", name)  # fmt: skip
        await self.pool.execute("INSERT INTO auth_group (name) VALUES ('Editors') ON CONFLICT DO NOTHING")
        await self.pool.execute("INSERT INTO auth_user_groups (user_id, group_id) SELECT u.id, g.id FROM auth_user u, auth_group g WHERE u.username = $1", name)
        v = visit(backend, self.django.session(name))
        self.assertEqual((await v.user.permissions(), await v.user.groups()), ({"sessions.add_session"}, {"Editors"}))
        self.assertTrue(await v.user.has_perm("sessions.add_session"))
        self.assertFalse(await v.user.has_perm("auth.add_user"))
        self.assertTrue(await visit(backend, self.django.session(boss)).user.has_perm("auth.add_user"))
        for require, outcome in (("permission:sessions.add_session", 200), ("permission:auth.add_user", 403), ("staff", 403), ("group:Editors", 200), ("nonsense", 503)):
            try:
                d = await v.check(require)
                self.assertEqual(d.status, outcome, require)
            except Unavailable as e:
                self.assertEqual(e.status, outcome, require)


class Outages(apps.Site):
    settings = {**apps.Site.settings, "timeout": 0.5}

    async def test_nobody_is_let_in_while_the_database_is_away(self):
        name = self.django.person()
        key = self.django.session(name)
        async for url in self.doors():
            await self.assertUser(url, key, name)
            async with self.pool.acquire() as con:  # every statement on these tables waits
                async with con.transaction():
                    await con.execute("LOCK TABLE django_session, auth_user IN ACCESS EXCLUSIVE MODE")
                    for path, body in (("me", None), ("login", {"username": name, "password": PASSWORD}), ("logout", {}), ("set", {"a": 1})):
                        status, answer, new = await self.send(url + "/api/" + path, body, key)
                        self.assertEqual((status, answer, new), (503, {"message": "Service unavailable"}, None), path)
            await self.assertUser(url, key, name)

    async def test_it_starts_without_its_database(self):
        import asyncpg

        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            url = f"postgres://nobody@127.0.0.1:{s.getsockname()[1]}/none"
            async with asyncpg.create_pool(url, min_size=0) as pool:
                door = await self.stack.enter_async_context(apps.serve_asgi(apps.starlette_app(self.backend(pool))))
                self.assertEqual((await self.send(door + "/api/me"))[0], 503)


class Origins(unittest.TestCase):
    def test_origin_and_sec_fetch_site(self):
        for headers, public, want in (
            ({}, (), True), ({"Origin": "https://example.com"}, (), True), ({"Origin": "http://EXAMPLE.com"}, (), True), ({"Origin": "https://example.com:443"}, (), True),
            ({"Origin": "https://evil.example"}, (), False), ({"Origin": "null"}, (), False), ({"Origin": ""}, (), False), ({"Origin": "https://example.com.evil.example"}, (), False),
            ({"Origin": "https://example.com:8443"}, (), False), ({"Origin": "https://a@example.com"}, (), False), ({"Origin": "https://example.com/x"}, (), False),
            ({"Origin": "https://[::1"}, (), False), ({"Origin": "file://example.com"}, (), False),
            ({"Sec-Fetch-Site": "same-origin"}, (), True), ({"Sec-Fetch-Site": "none"}, (), True), ({"Sec-Fetch-Site": "same-site"}, (), False), ({"Sec-Fetch-Site": "cross-site"}, (), False),
            ({"Origin": "https://www.example.com"}, ("https://www.example.com",), True), ({"Origin": "https://example.com"}, ("https://www.example.com",), False),
        ):  # fmt: skip
            self.assertEqual(same_origin([(k.encode(), v.encode()) for k, v in headers.items()], "example.com", public), want, (headers, public))
        self.assertFalse(same_origin([(b"origin", b"https://example.com")] * 2, "example.com"))


if __name__ == "__main__":
    unittest.main()
