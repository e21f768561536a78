"""generate.py --seed N --out FILE: ask the installed Django and write down what it answers.

Run with the Python of the environment that has that Django. The same seed in the same environment makes the same file, byte
for byte. Each *_sections.py makes a group of sections; README.md in testdata/vectors says what their fields mean.
"""
import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware"]


def database(socket, collation):
    """SQLite in memory, or a fresh database of the MariaDB that listens at the socket."""
    if not socket:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    import pymysql

    pymysql.install_as_MySQLdb()
    with pymysql.connect(unix_socket=socket, user="root").cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS corpus")
        cursor.execute("CREATE DATABASE corpus CHARACTER SET utf8mb4 COLLATE " + collation)
    return {"ENGINE": "django.db.backends.mysql", "NAME": "corpus", "HOST": socket, "USER": "root", "OPTIONS": {"charset": "utf8mb4"}}


def configure(user_model, database):
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="replaced for every vector", DEBUG=False, ALLOWED_HOSTS=["*"], USE_TZ=True, TIME_ZONE="UTC", ROOT_URLCONF=(), MIDDLEWARE=MIDDLEWARE,
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"] + (["people"] if user_model else []),
        AUTH_USER_MODEL=user_model or "auth.User", DEFAULT_AUTO_FIELD="django.db.models.AutoField", SILENCED_SYSTEM_CHECKS=["auth.W004"],
        DATABASES={"default": database}, LOGGING_CONFIG=None,
        AUTH_PASSWORD_VALIDATORS=[{"NAME": "django.contrib.auth.password_validation." + n} for n in (
            "UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")])
    django.setup()
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0, interactive=False)
    from django.contrib.auth.models import Permission
    from django.contrib.contenttypes.models import ContentType

    Permission.objects.all().delete()
    ContentType.objects.all().delete()


def run(seed, user_model=None, mariadb=None, collation=None):
    sys.path.insert(0, HERE)
    import logging
    import warnings

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    configure(user_model, database(collation and mariadb, collation))
    from common import Corpus

    corpus = Corpus(seed)
    if collation:
        import mariadb_sections

        mariadb_sections.make(corpus, collation)
        corpus.mariadb = mariadb_sections.server()
        return corpus
    if user_model:
        import custom_sections

        custom_sections.make(corpus)
        return corpus
    import auth_sections
    import password_sections
    import pickle_sections
    import session_sections
    import signing_sections
    import web_sections

    for group in (password_sections, session_sections, signing_sections, auth_sections, web_sections, pickle_sections):
        group.make(corpus)
    return corpus


def about(corpus):
    """What the file says of the run: the Django and the libraries that answered."""
    from importlib.metadata import version

    from common import VERSION, python_version
    from password_sections import algorithms

    more = {"mariadb": corpus.mariadb} if corpus.mariadb else {}
    return {
        "django": corpus.django, "available_hashers": algorithms(), "python": python_version(), "seed": corpus.seed, "generator": VERSION,
        "libs": {name: version(name) for name in ("bcrypt", "argon2-cffi", "argon2-cffi-bindings") + (("PyMySQL",) if more else ())}, **more, "default_secret": corpus.default_secret, "counts": corpus.counts,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--out", required=True)
    parser.add_argument("--mariadb", help="socket of a MariaDB whose user root has no password, for the section mariadb")
    parser.add_argument("--user-model", help="make the vectors of this user model alone")
    parser.add_argument("--collation", help="make the vectors of MariaDB with this collation alone")
    options = parser.parse_args()
    # Sets are iterated in the order of their hashes; the environment of the process decides that.
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable] + sys.argv)
    corpus = run(options.seed, options.user_model, options.mariadb, options.collation)
    if not options.user_model and not options.collation:
        from custom_sections import MODELS

        for model in MODELS:
            part(corpus, options, "--user-model", model)
        if options.mariadb and importlib.util.find_spec("pymysql"):
            from mariadb_sections import COLLATIONS

            for collation in COLLATIONS:
                part(corpus, options, "--mariadb", options.mariadb, "--collation", collation)
    write(corpus, options.out)


def part(corpus, options, *what):
    """Vectors of another process: there is one user model and one default database in each."""
    with tempfile.TemporaryDirectory() as directory:
        out = os.path.join(directory, "part.json")
        subprocess.run([sys.executable, __file__, "--seed", str(options.seed), "--out", out, *what], check=True)
        with open(out) as f:
            made = json.load(f)
    corpus.mariadb = made["meta"].get("mariadb", corpus.mariadb)
    for vector in made["vectors"]:
        corpus.add(vector["section"], **{k: v for k, v in vector.items() if k not in ("id", "section", "django")})


def write(corpus, out):
    """One vector per line, so that a difference is a line. NaN and the like are left out by the sections: this is plain JSON."""
    meta = {
        "note": "what Django %s answered; made by build/corpus, see testdata/vectors/README.md" % corpus.django, "license": "Apache-2.0", **about(corpus),
    }
    with open(out + ".part", "w") as f:
        f.write('{"meta":' + json.dumps(meta, separators=(",", ":"), allow_nan=False) + ',\n"vectors":[\n')
        f.write(",\n".join(json.dumps(v, separators=(",", ":"), allow_nan=False) for v in corpus.vectors))
        f.write("\n]}\n")
    os.rename(out + ".part", out)


if __name__ == "__main__":
    main()
