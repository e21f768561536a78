"""A Django site with a user model of its own, for tests.

    models.py SETTINGS MODEL DIRECTORY fill SEED     migrates, makes users, groups and grants; prints what Django says of each user
    models.py SETTINGS MODEL DIRECTORY owners KEY…   prints the id of each session's user
"""

import json
import os
import random
import sys

IMPORTS = """
import uuid
from django.contrib.auth.models import AbstractBaseUser, AbstractUser, BaseUserManager, PermissionsMixin
from django.db import models

class Manager(BaseUserManager):
    def create_user(self, name, password, **fields):
        user = self.model(**{self.model.USERNAME_FIELD: name}, **fields)
        user.set_password(password)
        user.save()
        return user
"""

MODELS = {
    # A UUID, everything else as usual.
    "Customer": """
class Customer(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    reference = models.UUIDField(default=uuid.uuid4)
""",
    # Other names of table and key, e-mail addresses for names; no is_active, is_staff and last_login.
    "Person": """
class Person(AbstractBaseUser, PermissionsMixin):
    number = models.BigAutoField(primary_key=True)
    mail = models.EmailField(unique=True)
    last_login = None
    objects = Manager()
    USERNAME_FIELD = EMAIL_FIELD = "mail"
    class Meta:
        db_table = "people"
""",
    # Its table has the key and nothing of a user.
    "Courier": """
class Base(AbstractUser):
    id = models.BigAutoField(primary_key=True)

class Courier(Base):
    bicycle = models.BooleanField(default=True)
""",
    # The name is the key; no permissions.
    "Member": """
class Member(AbstractBaseUser):
    nick = models.CharField(max_length=50, primary_key=True)
    objects = Manager()
    USERNAME_FIELD = "nick"
""",
}

settings_, model, directory, command, *args = json.loads(sys.argv[1]), *sys.argv[2:]
apps = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
if model in MODELS:
    os.makedirs(directory + "/shop/migrations", exist_ok=True)
    for name, text in {"__init__": "", "migrations/__init__": "", "models": IMPORTS + MODELS[model]}.items():
        with open(f"{directory}/shop/{name}.py", "w") as f:
            f.write(text)
    sys.path.insert(0, directory)
    apps.append("shop")
    settings_["AUTH_USER_MODEL"] = "shop." + model
if settings_["DATABASES"]["default"]["ENGINE"].endswith("mysql"):
    import pymysql

    pymysql.install_as_MySQLdb()

import django
from django.conf import settings

if settings_["DATABASES"]["default"]["ENGINE"].endswith("postgresql") and django.VERSION < (3, 1):
    # psycopg2 2.9 hands over a time zone that Django 2.2 does not take for UTC.
    import django.db.backends.postgresql.base as base
    import django.utils.timezone

    base.utc_tzinfo_factory = lambda offset: django.utils.timezone.utc

settings.configure(
    INSTALLED_APPS=apps,
    USE_TZ=True,
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    **settings_,
)
django.setup()

if settings_["DATABASES"]["default"].get("TEST", {}).get("char32"):
    # As on MySQL, and on MariaDB before 10.7: UUIDs are 32 digits in a char.
    from django.db import connection

    type(connection.features).has_native_uuid_field = False

from django.contrib.auth import get_user, get_user_model, login
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.http import HttpRequest

User = get_user_model()
may = hasattr(User, "has_perm")


def request(key=None):
    r = HttpRequest()
    r.session = SessionStore(key)
    return r


def fill(seed):
    if model in MODELS:
        call_command("makemigrations", "shop", verbosity=0)
    call_command("migrate", verbosity=0)
    dice = random.Random(int(seed))
    blog = ContentType.objects.create(app_label="blog", model="page")
    for codename in ("publish.all", "übung", "add_user", "change_page"):
        Permission.objects.create(content_type=blog, codename=codename, name=codename)
    permissions = list(Permission.objects.order_by("pk"))
    groups = [Group.objects.create(name=f"group {i} グループ") for i in range(6)]
    for group in groups[1:]:
        group.permissions.set(dice.sample(permissions, dice.randrange(6)))
    columns = {f.name for f in User._meta.get_fields()}
    asked = [f"{p.content_type.app_label}.{p.codename}" for p in permissions] + ["", ".", "blog", "blog.nope", "Blog.add_user", "add_user"]
    out = []
    for i in range(24):
        fields = {"is_active": dice.random() < 0.75, "is_superuser": dice.random() < 0.2, "is_staff": dice.random() < 0.3}
        name = f"user{i}@example.com"
        if User.USERNAME_FIELD == "username":
            fields["email"] = name
        user = User.objects.create_user(name, password="pw " + name, **{k: v for k, v in fields.items() if k in columns})
        if may:
            user.groups.set(dice.sample(groups, dice.randrange(4)))
            user.user_permissions.set(dice.sample(permissions, dice.randrange(4)))
        r = request()
        login(r, user, backend=settings.AUTHENTICATION_BACKENDS[0])
        r.session.save()
        user = get_user(request(r.session.session_key))
        out.append({
            "session": r.session.session_key,
            "name": name,
            "id": str(user.pk) if user.is_authenticated else None,
            "permissions": sorted(user.get_all_permissions()) if may else [],
            "groups": sorted(user.groups.values_list("name", flat=True)) if may else [],
            "has": [p for p in asked if may and user.has_perm(p)],
            "asked": asked,
        })
    return out


def owners(*keys):
    users = [get_user(request(key)) for key in keys]
    return [str(u.pk) if u.is_authenticated else None for u in users]


print(json.dumps({"fill": fill, "owners": owners}[command](*args)))
