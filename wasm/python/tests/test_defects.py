"""What async-django-user 0.2.0 with async-django-session 0.3.1 got wrong, one test each. Expected values are Django's."""

import asyncio
import hashlib
import time
import unittest

import apps
import beside
from beside import OTHER, PASSWORD


class Defects(apps.Site):
    async def test_01_the_signature_of_a_session_is_checked(self):
        name = self.django.person()
        key = self.django.session(name)
        data = self.django.session_data(key=key)
        payload = data.rpartition(":")[0]
        forgeries = [payload, payload + ":", data[:-1] + ("A" if data[-1] != "A" else "B"), "A" + data[1:]]
        async for url in self.doors():
            for forged in forgeries:
                self.django.session_data(key=key, data=forged)
                await self.assertUser(url, key, None)
                self.assertEqual(self.django.session_data(key=key), forged, "it was signed anew")
            self.django.session_data(key=key, data=data)
            await self.assertUser(url, key, name)
        # Nor is a dict that says who somebody is believed.
        backend = self.backend()
        with self.assertRaises(TypeError):
            backend.get_user_from_session({"_auth_user_id": "1"})

    async def test_02_a_changed_password_ends_other_sessions(self):
        async for url in self.doors():
            name = self.django.person()
            key = self.django.session(name)
            await self.assertUser(url, key, name)
            self.django.change_password(username=name, password=OTHER)
            await self.assertUser(url, key, None)
            mine, others = self.django.session(name), self.django.session(name)
            self.assertEqual((await self.send(url + "/api/change-password", {"password": PASSWORD}, mine))[:2], (200, {}))
            await self.assertUser(url, others, None)
            self.assertEqual(self.django.who(others), "")
            self.assertTrue(self.django.check_password(username=name, password=PASSWORD))

    async def test_03_the_password_hash_is_no_column_of_the_user(self):
        name = self.django.person()
        key = self.django.session(name)
        async for url in self.doors():
            answer = await self.assertUser(url, key, name)
            self.assertNotIn("pbkdf2", str(answer))
            self.assertNotIn("password", answer["user"])
        user = apps.djedge.User(self.backend())
        await user.authenticate(name, PASSWORD)
        self.assertEqual(set(user), {"id", "last_login", "is_superuser", "username", "first_name", "last_name", "email", "is_staff", "is_active", "date_joined"})
        self.assertNotIn("pbkdf2", repr(user))

    async def test_04_is_active_is_checked_in_every_request(self):
        async for url in self.doors():
            name = self.django.person()
            key = self.django.session(name)
            await self.assertUser(url, key, name)
            self.django.update_user(username=name, is_active=False)
            await self.assertUser(url, key, None)
            status, answer, new = await self.send(url + "/api/login", {"username": name, "password": PASSWORD})
            self.assertEqual((status, answer, new), (400, {"message": "User isn't active"}, None))
            status, answer, new = await self.send(url + "/api/login", {"username": name, "password": OTHER})
            self.assertEqual((status, answer, new), (400, {"message": "Bad username or password"}, None))

    async def test_05_a_deleted_user_is_nobody(self):
        async for url in self.doors():
            name = self.django.person()
            key = self.django.session(name)
            self.django.delete_user(username=name)
            await self.assertUser(url, key, None)
            status, answer, _ = await self.send(url + "/api/change-password", {"password": OTHER}, key)
            self.assertEqual((status, answer), (400, {"message": "Log in first"}))

    async def test_06_the_key_changes_at_login_and_what_others_left_is_gone(self):
        async for url in self.doors():
            first, second = self.django.person(), self.django.person()
            # An anonymous session keeps what it holds, under another key.
            _, _, before = await self.send(url + "/api/set", {"cart": [1]})
            key = await self.login(url, first, key=before)
            self.assertNotEqual(key, before)
            self.assertEqual((await self.assertUser(url, key, first))["session"]["cart"], [1])
            await self.assertUser(url, before, None)
            self.assertEqual((self.django.who(key), self.django.who(before)), (first, ""))
            # Another user finds nothing of the first.
            other = await self.login(url, second, key=key)
            self.assertNotIn("cart", (await self.assertUser(url, other, second))["session"])
            await self.assertUser(url, key, None)
            # Logging out leaves neither key nor data.
            status, _, new = await self.send(url + "/api/logout", {}, other)
            self.assertEqual((status, new), (200, ""))
            await self.assertUser(url, other, None)
            with self.assertRaisesRegex(RuntimeError, "DoesNotExist"):
                self.django.session_data(key=other)

    async def test_07_a_fresh_login_over_databases_answers(self):
        url = await self.stack.enter_async_context(apps.serve_asgi(apps.starlette_app(self.backend(self.database))))
        name = self.django.person()
        async with asyncio.timeout(20):
            key = await self.login(url, name)
        self.assertEqual(self.django.who(key), name)

    async def test_08_hashing_leaves_the_event_loop_alone(self):
        """Measured and printed: how late a timer of 1 ms is, with four logins of Django 5.2's cost in flight."""
        for kdf in ("host", "module"):
            backend = self.backend(kdf=kdf, hash_concurrency=1)
            encoded = "pbkdf2_sha256$1000000$salt$" + "A" * 43 + "="
            names = [self.django.person(encoded) for _ in range(4)]
            await backend.start()
            logins = asyncio.gather(*(apps.djedge.User(backend).authenticate(name, "wrong") for name in names))
            late = []
            while not logins.done():
                start = time.perf_counter()
                await asyncio.sleep(0.001)
                late.append(time.perf_counter() - start - 0.001)
            self.assertEqual(await logins, [None] * 4)
            self.assertGreater(len(late), 20, "the loop stood still")
            late.sort()
            print(f"\nhashing by {kdf}: the event loop was late by {late[len(late) * 99 // 100] * 1e3:.1f} ms (p99), {late[-1] * 1e3:.1f} ms at most")

    async def test_09_unknown_users_cost_what_known_ones_do(self):
        """Work is counted, not timed: Django hashes for unknown, inactive and unusable ones too."""
        backend = self.backend(pbkdf2_iterations=3000)
        derive, counted = backend.hashing.derive, 0

        async def count(e):
            nonlocal counted
            counted += e.iterations
            return await derive(e)

        backend.hashing.derive = count
        hashed = "pbkdf2_sha256$3000$salt$" + "A" * 43 + "="
        work = {}
        for what, name in {
            "known": self.django.person(hashed), "unknown": "nobody-at-all", "unusable": self.django.person("!unusable"),
            "inactive": self.django.person(hashed, is_active=False), "cheaper": self.django.person("pbkdf2_sha256$1000$salt$" + "A" * 43 + "="),
        }.items():  # fmt: skip
            counted = 0
            self.assertIsNone(await apps.djedge.User(backend).authenticate(name, "wrong"))
            work[what] = counted
        self.assertEqual(set(work.values()), {3000}, work)

    async def test_10_new_hashes_cost_what_django_asks_and_old_ones_are_renewed(self):
        backend = self.backend(pbkdf2_iterations=None)
        self.assertTrue((await backend.make_password(PASSWORD)).startswith("pbkdf2_sha256$1000000$"), "Django 5.2")
        name = self.django.person()  # 1,000 iterations
        await apps.djedge.User(backend).authenticate(name, PASSWORD)
        encoded = await self.pool.fetchval("SELECT password FROM auth_user WHERE username = $1", name)
        self.assertTrue(encoded.startswith("pbkdf2_sha256$1000000$"), encoded[:24])
        self.assertTrue(self.django.check_password(username=name, password=PASSWORD))

    async def test_11_every_hash_of_django_is_verified_and_unusable_ones_refused(self):
        salt = b"saltsaltsaltsalt"
        import base64

        from argon2 import low_level

        key = base64.b64encode(hashlib.scrypt(PASSWORD.encode(), salt=salt, n=16384, r=8, p=1, maxmem=64 << 20, dklen=64)).decode()
        hashes = {"scrypt": f"scrypt$16384$saltsaltsaltsalt$8$1${key}"}
        for kind in low_level.Type:
            hashes["argon2" + kind.name] = "argon2" + low_level.hash_secret(PASSWORD.encode(), salt, 2, 1024, 2, 32, kind).decode()
        for kdf in ("host", "module"):
            backend = self.backend(kdf=kdf, rehash=False)
            for what, encoded in hashes.items():
                name = self.django.person(encoded)
                self.assertTrue(self.django.check_password(username=name, password=PASSWORD), what)
                self.assertTrue(await apps.djedge.User(backend).authenticate(name, PASSWORD), (kdf, what))
                self.assertIsNone(await apps.djedge.User(backend).authenticate(name, OTHER), (kdf, what))
            for hasher in ("argon2", "scrypt", "bcrypt_sha256"):
                encoded = await self.backend(kdf=kdf, password_hashers=[hasher]).make_password(PASSWORD, hasher)
                self.assertTrue(self.django.check_password(username=self.django.person(encoded), password=PASSWORD), (kdf, hasher))
        async for url in self.doors():
            for encoded in ("!", "!no password", "", "nonsense", "unknown$1$2$3"):
                name = self.django.person(encoded)
                status, answer, new = await self.send(url + "/api/login", {"username": name, "password": PASSWORD})
                self.assertEqual((status, answer, new), (400, {"message": "Bad username or password"}, None), encoded)

    async def test_12_the_cookie_is_djangos(self):
        from email.utils import parsedate_to_datetime

        async for url in self.doors(session_cookie_secure=True):
            await self.login(url, self.django.person())
            name, *attributes = (a.strip() for a in self.cookie.split(";"))
            found = {k.lower(): v for k, _, v in (a.partition("=") for a in attributes)}
            self.assertEqual({k: v for k, v in found.items() if k != "expires"}, {"httponly": "", "secure": "", "max-age": "1209600", "path": "/", "samesite": "Lax"})
            self.assertAlmostEqual(parsedate_to_datetime(found["expires"]).timestamp(), time.time() + 1209600, delta=60)
            self.assertIn("cookie", self.vary.lower())

    async def test_13_bad_requests_foreign_pages_and_weak_passwords_are_refused(self):
        name = self.django.person()
        weak = "django.contrib.auth.password_validation.MinimumLengthValidator min_length=12"
        async for url in self.doors(password_validators=[weak]):
            for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
                status, _, new = await self.send(url + "/api/login", {"username": name, "password": PASSWORD}, **headers)
                self.assertEqual((status, new), (403, None), headers)
            status, _, new = await self.send(url + "/api/login", {"username": name, "password": PASSWORD}, Origin=url)
            self.assertEqual(status, 200)
            status, answer, new = await self.send(url + "/api/register", {"username": name + "n", "password": "short"})
            self.assertEqual((status, new), (400, None))
            self.assertIn("at least 12 characters", answer["message"])
            for username, said in ((name, "already in use"), ("white space", "up to 150"), ("x" * 200, "up to 150")):
                status, answer, new = await self.send(url + "/api/register", {"username": username, "password": PASSWORD})
                self.assertEqual((status, new), (400, None))
                self.assertIn(said, answer["message"])
            # Names are normalised as Django's forms do.
            status, _, key = await self.send(url + "/api/register", {"username": f"ﬁ{name}{url[-2:]}", "password": PASSWORD})
            await self.assertUser(url, key, f"fi{name}{url[-2:]}")
        user = apps.djedge.User(self.backend())
        await user.authenticate(name, PASSWORD)
        self.assertTrue(await user.check_password(PASSWORD))
        self.assertFalse(await user.check_password(OTHER))
        self.assertIsNone(await user.authenticate(name, "x" * 1_000_000))

    async def test_13_the_examples_refuse_bad_bodies(self):
        from common import BadRequest, body

        good = b'{"username":"a","password":"b"}'
        self.assertEqual(body("application/json; charset=utf-8", good, "username", "password"), ["a", "b"])
        for kind, raw in (
            ("text/plain", good), ("", good), ("application/json", b"{"), ("application/json", b"[]"), ("application/json", b"\xff"), ("application/json", b'{"username":"a"}'),
            ("application/json", b'{"username":"a","password":1}'), ("application/json", b'{"username":"a","password":"b","is_superuser":true}'), ("application/json", b"[" * 100_000),
        ):  # fmt: skip
            with self.assertRaises(BadRequest):
                body(kind, raw, "username", "password")

    async def test_14_sessions_are_saved_by_djangos_rules_and_expire(self):
        async for url in self.doors():
            name = self.django.person()
            key = self.django.session(name, color="blue", list=[1])
            stored = self.django.session_data(key=key)
            answer = await self.assertUser(url, key, name)
            self.assertEqual(answer["session"]["color"], "blue")
            self.assertEqual(self.django.session_data(key=key), stored, "reading wrote")
            self.assertIsNone(self.cookie)
            # A change, also inside of a value, is saved under the same key; after a failure nothing is.
            self.assertEqual((await self.send(url + "/api/append", {"value": 2}, key))[2], key)
            self.assertEqual((await self.send(url + "/api/fail", {"color": "red"}, key))[0], 500)
            session = (await self.assertUser(url, key, name))["session"]
            self.assertEqual((session["list"], session["color"]), ([1, 2], "blue"))
            self.assertEqual(self.django.who(key), name)
            # Whoever was logged out meanwhile stays so: the late save does not bring the session back.
            self.django.logout(engine="db", cookie=f"sessionid={key}")
            await self.send(url + "/api/set", {"a": 1}, key)
            self.assertEqual(self.django.who(key), "")
            # What is over is over, and can be swept.
            old = self.django.session(name, seconds_ago=60 * 24 * 3600)
            await self.assertUser(url, old, None)
        self.assertGreater(await self.backend().clear_expired(), 0)
        with self.assertRaisesRegex(RuntimeError, "DoesNotExist"):
            self.django.session_data(key=old)
        # Neither table nor columns are hard-wired.
        await self.pool.execute("CREATE TABLE IF NOT EXISTS people (LIKE auth_user INCLUDING ALL, team text)")
        await self.pool.execute("INSERT INTO people SELECT *, 'red' FROM auth_user WHERE username = $1", name)
        user = apps.djedge.User(self.backend(users_table="people"))
        await user.authenticate(name, PASSWORD)
        self.assertEqual(user["team"], "red")
        user["team"] = "green"
        await user.save()
        self.assertEqual(await self.pool.fetchval("SELECT team FROM people"), "green")
        await self.pool.execute("DROP TABLE people")

    async def test_15_it_runs_on_what_is_current(self):
        from importlib.metadata import version

        major = {name: int(version(name).split(".")[0]) for name in ("aiohttp", "starlette", "wasmtime")}
        self.assertTrue(major["aiohttp"] >= 3 and major["starlette"] >= 1 and major["wasmtime"] >= 50, major)
        async for url in self.doors():  # made without a word of warning: see __main__
            await self.login(url, self.django.person())


if __name__ == "__main__":
    unittest.main()
