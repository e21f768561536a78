"""The programs of README.md and docs/runtimes/fastapi.md, run as they are, by DJEDGE_TEST_PYTHON: a Python where the package is installed."""

import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

import beside
from beside import PASSWORD
from test_walk import Browser

INSTALLED = os.environ.get("DJEDGE_TEST_PYTHON", "")


@unittest.skipUnless(beside.POSTGRES and (beside.COMPONENTS / "django52").exists(), "neither PostgreSQL nor Django (make components)")
class Documents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.django = beside.start()

    def start(self, document, command):
        """Runs the first program of a document, and gives its URL."""
        program = re.search(r"```python\n(import os.*?)```", (beside.ROOT / document).read_text(), re.S)[1]
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = str(s.getsockname()[1])
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        (pathlib.Path(directory.name) / "app.py").write_text(program.replace("8080", port))
        env = {k: v for k, v in os.environ.items() if not k.startswith(("DJEDGE_", "PYTHONPATH"))}
        env |= {"DATABASE_URL": beside.POSTGRES, "SECRET_KEY": beside.SECRET}
        if not INSTALLED:
            env["PYTHONPATH"] = str(beside.HERE.parent / "src")
        process = subprocess.Popen([INSTALLED or sys.executable, *(a.replace("PORT", port) for a in command)], cwd=directory.name, env=env, stdout=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                Browser().send(url + "/me")
                return url
            except OSError:
                self.assertIsNone(process.poll(), "the program has ended")
                time.sleep(0.05)
        self.fail("the program does not listen")

    def test_readme(self):
        url = self.start("wasm/python/README.md", ["app.py"])
        name, browser = self.django.person(), Browser()
        form = "application/x-www-form-urlencoded"

        def login(password):
            return browser.send(url + "/login", urllib.parse.urlencode({"username": name, "password": password}).encode(), form)[0]

        self.assertEqual(browser.send(url + "/me"), (200, '{"username": null}'))
        self.assertEqual(login("wrong"), 401)
        self.assertEqual(login(PASSWORD), 200)
        self.assertEqual(browser.send(url + "/me"), (200, f'{{"username": "{name}"}}'))
        self.assertEqual(self.django.who(browser.cookies["sessionid"]), name)
        self.assertEqual(browser.send(url + "/logout", b"")[0], 200)
        self.assertEqual(browser.send(url + "/me"), (200, '{"username": null}'))
        browser.cookies["sessionid"] = self.django.session(name)
        self.assertEqual(browser.send(url + "/me"), (200, f'{{"username": "{name}"}}'))

    def test_fastapi(self):
        url = self.start("docs/runtimes/fastapi.md", ["-m", "uvicorn", "app:app", "--port", "PORT", "--log-level", "warning"])
        name, boss, browser = self.django.person(), self.django.person(is_superuser=True), Browser()

        def login(who, password=PASSWORD):
            return browser.send(url + "/login", f'{{"username":"{who}","password":"{password}"}}'.encode())[0]

        self.assertEqual(browser.send(url + "/orders"), (401, '{"message":"Log in first"}'))
        self.assertEqual(login(name, "wrong"), 400)
        self.assertEqual(login(name), 200)
        self.assertEqual(browser.send(url + "/me"), (200, f'{{"username":"{name}","visits":1}}'))
        self.assertEqual(browser.send(url + "/orders")[0], 403)
        self.assertEqual(login(boss), 200)
        self.assertEqual(browser.send(url + "/orders"), (200, f'{{"for":"{boss}"}}'))
        self.assertEqual(browser.send(url + "/logout", b"")[0], 200)
        self.assertEqual(browser.send(url + "/me"), (200, '{"username":null,"visits":0}'))


if __name__ == "__main__":
    unittest.main()
