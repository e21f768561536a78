"""Users and sessions in an SQLite file that Django made, over databases and aiosqlite."""

import asyncio
import pathlib
import tempfile
import unittest

import beside
from beside import OTHER, PASSWORD
from databases import Database
from djedge import Denied, User
from djedge.databases import Backend
from djedge.session import Visit


@unittest.skipUnless((beside.COMPONENTS / "django52").exists(), "no Django (make components)")
class SQLite(unittest.IsolatedAsyncioTestCase):
    async def test_log_in_change_and_out(self):
        asyncio.get_running_loop().set_debug(False)
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "site.sqlite3"
            django = beside.Django({"ENGINE": "django.db.backends.sqlite3", "NAME": str(path), "OPTIONS": {"timeout": 20}})
            self.addCleanup(django.close)
            django.migrate()
            name, key = django.person(), ""
            async with Database(f"sqlite+aiosqlite:///{path}") as database:
                backend = Backend(database, beside.SECRET, django_version="5.2", pbkdf2_iterations=2000)
                self.addCleanup(backend.close)

                def visit(key):
                    return Visit(backend, "POST", "/", "example.com", "https", [(b"cookie", b"sessionid=" + key.encode())] if key else [])

                v = visit("")
                (await v.get_session())["color"] = "blue"
                self.assertTrue(await v.user.authenticate(name, PASSWORD))
                await v.user.login()
                self.assertIsNone((await v.end(200)).refusal)
                key = v.session.key
                self.assertEqual(django.who(key), name)
                made_by_django = django.session(name, list=[1])
                v = visit(made_by_django)
                self.assertEqual(((await v.get_user())["username"], (await v.get_session())["list"]), (name, [1]))
                self.assertIs(v.user["is_active"], True)
                self.assertEqual(v.user["date_joined"].utcoffset().total_seconds(), 0)
                v.user.set_password(OTHER)
                await v.user.save()
                self.assertTrue(django.check_password(username=name, password=OTHER))
                self.assertFalse(await visit(key).get_user())
                self.assertEqual(django.who(made_by_django), "")
                user = User(backend)
                user.update(username=name)
                user.set_password(PASSWORD)
                with self.assertRaises(Denied) as e:
                    await user.create()
                self.assertEqual(e.exception.reason, "username_taken")
                v = visit(django.session(name))
                (await v.get_user()).logout()
                self.assertIsNone((await v.end(200)).refusal)


if __name__ == "__main__":
    unittest.main()
