"""Django's admin, the aiohttp example, the Starlette example and `djedge serve` on one PostgreSQL: one login, whoever made it."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import beside
from beside import OTHER, PASSWORD

DJEDGE = os.environ.get("DJEDGE_TEST_DJEDGE", "")
PYTHON = beside.HERE.parent


class Browser:
    """A client with cookies, which are for all ports of a host, as in a browser."""

    def __init__(self):
        self.cookies = {}

    def send(self, url, data=None, kind="application/json"):
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())} if self.cookies else {}
        if data is not None:
            origin = "://".join(urllib.parse.urlsplit(url)[:2])
            headers |= {"Content-Type": kind, "Origin": origin, "Sec-Fetch-Site": "same-origin", "Referer": url}
        request = urllib.request.Request(url, data, headers)
        try:
            answer = urllib.request.build_opener(NoRedirect).open(request, timeout=30)
        except urllib.error.HTTPError as e:
            answer = e
        with answer:
            for cookie in answer.headers.get_all("Set-Cookie") or ():
                name, _, value = cookie.split(";")[0].partition("=")
                self.cookies[name] = value
                if "max-age=0" in cookie.lower():
                    del self.cookies[name]
            return answer.status, answer.read().decode()


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


@unittest.skipUnless(DJEDGE and beside.POSTGRES and (beside.COMPONENTS / "django52").exists(), "no PostgreSQL, Django or djedge command (make components)")
class Walk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.processes, cls.urls = [], {}
        cls.django = beside.start()
        env = {k: v for k, v in os.environ.items() if not k.startswith("DJEDGE_")}
        env |= {"DJEDGE_DATABASE": beside.POSTGRES, "DJEDGE_SECRET_KEY": beside.SECRET, "DJEDGE_DJANGO_VERSION": "5.2", "PYTHONDONTWRITEBYTECODE": "1"}
        source = {"PYTHONPATH": str(PYTHON / "src"), "DJEDGE_PORT": "0"}
        cls.run_program("admin", [beside.COMPONENTS / "django52/bin/python", PYTHON / "tests/admin.py"], env)
        cls.run_program("aiohttp", [sys.executable, PYTHON / "examples/aiohttp_app.py"], env | source)
        cls.run_program("starlette", [sys.executable, PYTHON / "examples/starlette_app.py"], env | source)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{s.getsockname()[1]}"
        cls.processes.append(subprocess.Popen([DJEDGE, "serve", "--listen", address, "--api", "me,login,logout,register,change-password"], env=env, stderr=subprocess.DEVNULL))
        cls.urls["serve"] = "http://" + address
        for _ in range(600):
            try:
                Browser().send(cls.urls["serve"] + "/api/me")
                break
            except OSError:
                time.sleep(0.05)

    @classmethod
    def run_program(cls, name, command, env):
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
        cls.processes.append(process)
        word, _, port = process.stdout.readline().strip().partition(" ")
        assert word == "listening", f"{name} does not start"
        cls.urls[name] = f"http://127.0.0.1:{port}"

    @classmethod
    def tearDownClass(cls):
        for process in cls.processes:
            process.terminate()
            process.wait()
            if process.stdout:
                process.stdout.close()

    def who(self, browser):
        """Who each of the four takes the browser for."""
        found = {}
        for door in ("aiohttp", "starlette", "serve"):
            status, text = browser.send(self.urls[door] + "/api/me")
            self.assertEqual(status, 200, door)
            found[door] = json.loads(text)["user"].get("username", "")
        status, text = browser.send(self.urls["admin"] + "/admin/")
        self.assertIn(status, (200, 302))
        match = re.search(r"<strong>(.*?)</strong>", text)
        found["admin"] = match[1] if status == 200 and match else ""
        return found

    def everywhere(self, browser, name):
        self.assertEqual(self.who(browser), dict.fromkeys(("aiohttp", "starlette", "serve", "admin"), name))

    def post(self, browser, door, what, **fields):
        status, text = browser.send(f"{self.urls[door]}/api/{what}", json.dumps(fields).encode())
        self.assertEqual((status, text), (200, "{}"), (door, what))

    def admin_login(self, browser, name, password):
        url = self.urls["admin"] + "/admin/login/?next=/admin/"
        _, page = browser.send(url)
        token = re.search(r'name="csrfmiddlewaretoken" value="(.*?)"', page)[1]
        form = urllib.parse.urlencode({"csrfmiddlewaretoken": token, "username": name, "password": password, "next": "/admin/"})
        return browser.send(url, form.encode(), "application/x-www-form-urlencoded")[0]

    def test_one_login_for_all_four(self):
        name = self.django.person(is_staff=True)
        browser = Browser()
        self.everywhere(browser, "")
        self.assertEqual(self.admin_login(browser, name, PASSWORD), 302)
        self.everywhere(browser, name)
        for here, there in (("aiohttp", "starlette"), ("starlette", "serve"), ("serve", "aiohttp")):
            self.post(browser, here, "logout")
            self.everywhere(browser, "")
            self.post(browser, there, "login", username=name, password=PASSWORD)
            self.everywhere(browser, name)
        # A second browser's session ends with the password that it was made with.
        second = Browser()
        self.post(second, "starlette", "login", username=name, password=PASSWORD)
        self.post(browser, "aiohttp", "change-password", password=OTHER)
        self.everywhere(second, "")
        self.everywhere(browser, "")
        self.assertEqual(self.admin_login(browser, name, PASSWORD), 200, "the form again")
        self.assertEqual(self.admin_login(browser, name, OTHER), 302)
        self.everywhere(browser, name)
        # Logged out in the admin, logged out everywhere.
        _, page = browser.send(self.urls["admin"] + "/admin/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(.*?)"', page)[1]
        form = urllib.parse.urlencode({"csrfmiddlewaretoken": token}).encode()
        self.assertEqual(browser.send(self.urls["admin"] + "/admin/logout/", form, "application/x-www-form-urlencoded")[0], 200)
        self.everywhere(browser, "")

    def test_whoever_registers_at_one_may_log_in_at_all(self):
        for door in ("aiohttp", "starlette", "serve"):
            browser, name = Browser(), f"new{os.getpid()}{door}"
            self.post(browser, door, "register", username=name, password=PASSWORD)
            self.django.update_user(username=name, is_staff=True)
            self.everywhere(browser, name)
            for other in ("aiohttp", "starlette", "serve"):
                third = Browser()
                self.post(third, other, "login", username=name, password=PASSWORD)
                self.everywhere(third, name)

    def test_pages_and_methods(self):
        for door in ("aiohttp", "starlette"):
            status, text = Browser().send(self.urls[door] + "/")
            self.assertEqual((status, "/api/me" in text), (200, True))
            for what in ("login", "logout", "register", "change-password"):
                self.assertEqual(Browser().send(f"{self.urls[door]}/api/{what}")[0], 405)
                for body in (b"{", b"[]", b'{"username":"a","password":"b","is_staff":true}', b""):
                    status = Browser().send(f"{self.urls[door]}/api/{what}", body)[0]
                    self.assertIn(status, (200,) if what == "logout" else (400,), (door, what, body))


if __name__ == "__main__":
    unittest.main()
