"""A real Django on a real PostgreSQL, for tests. DJEDGE_TEST_POSTGRES and DJEDGE_TEST_COMPONENTS say where they are."""

import json
import os
import pathlib
import subprocess
import sys
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent / "src"), str(HERE.parent / "examples")]

SECRET, FALLBACK = "django-insecure-python-$%&é-0123456789", "django-insecure-python-before-0123456789"
PASSWORD, OTHER = "s3cret pässword", "another pässword 2"
# Few iterations: what is tested is never how long a hash takes.
ENCODED = "pbkdf2_sha256$1000$salt$" + __import__("base64").b64encode(
    __import__("hashlib").pbkdf2_hmac("sha256", PASSWORD.encode(), b"salt", 1000)
).decode()

POSTGRES = os.environ.get("DJEDGE_TEST_POSTGRES", "")
COMPONENTS = pathlib.Path(os.environ.get("DJEDGE_TEST_COMPONENTS", "/nowhere"))


class Django:
    """A process of build/scenario/site.py: each of its commands is a method here."""

    def __init__(self, database=None):
        u = urllib.parse.urlsplit(POSTGRES)
        database = database or {"ENGINE": "django.db.backends.postgresql", "NAME": u.path[1:], "USER": u.username, "PASSWORD": u.password or "", "HOST": u.hostname, "PORT": u.port}
        settings = {"SECRET_KEY": SECRET, "SECRET_KEY_FALLBACKS": [FALLBACK], "DATABASES": {"default": database}}
        env = {**os.environ, "SCENARIO_SETTINGS": json.dumps(settings), "PYTHONDONTWRITEBYTECODE": "1"}
        python = COMPONENTS / "django52" / "bin" / "python"
        self.process = subprocess.Popen([python, "-I", ROOT / "build/scenario/site.py"], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.people = 0

    def __getattr__(self, name):
        return lambda **arguments: self.call(name, arguments)

    def call(self, name, arguments):
        self.process.stdin.write(json.dumps([name, arguments]) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def person(self, encoded=ENCODED, **fields):
        """The name of a new user with PASSWORD."""
        self.people += 1
        name = f"person{os.getpid()}x{self.people}"
        self.create_user(username=name, encoded=encoded, email=name + "@example.com", **fields)
        return name

    def session(self, name, **values):
        """The key of a session of theirs that Django made."""
        return self.login(engine="db", username=name, **values)

    def who(self, key):
        return self.whoami(engine="db", cookie=f"sessionid={key}")

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


django = None


def start():
    """One Django for all tests of a run."""
    global django
    if django is None:
        django = Django()
        django.migrate()
    return django
