"""Section custom_user: get_user, login, authenticate and permissions with other user models. One process per model."""
from datetime import datetime, timezone as zone

from django.contrib import auth
from django.contrib.auth import get_user_model, hashers
from django.contrib.sessions.models import Session

from auth_sections import MODEL, ask_user, do_login, dump
from common import outcome, seeded, site

MODELS = ["people.UUIDUser", "people.Account", "people.Member", "people.BigUser"]

KINDS = {"UUIDField": "uuid", "BigAutoField": "int64", "AutoField": "int32", "CharField": "text"}

# What uuid.UUID() also takes: any place for dashes and braces, any number, whatever int() takes for digits.
LAX = {"odd-dashes", "half-brace", "urn-twice", "uuid-prefix", "number", "big-number", "plus", "underscore", "fullwidth", "0x", "bool", "true", "float"}


def describe(model):
    """What a site would have to tell djedge about the model."""
    meta = model._meta
    fields = {f.name: f for f in meta.concrete_fields}
    email = fields.get(model.get_email_field_name()) if hasattr(model, "get_email_field_name") else None
    return {
        "model": meta.label, "table": meta.db_table, "pk": meta.pk.column, "pk_kind": KINDS[meta.pk.get_internal_type()],
        "username_field": fields[model.USERNAME_FIELD].column, "email_field": email.column if email else None,
        "columns": [f.column for f in meta.concrete_fields], "has_is_active": "is_active" in fields, "has_last_login": "last_login" in fields,
        "has_permissions": "is_superuser" in fields,
    }


def make(corpus):
    model = get_user_model()
    rng = corpus.rng("custom_user/" + model.__name__)
    name = model.__name__.lower()
    about = describe(model)
    model._default_manager.all().delete()
    with seeded(rng), site(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        keys = pks(rng, about["pk_kind"])
        users = [create(model, about, rng, i, pk) for i, pk in enumerate(keys)]
    sql = dump([about["table"]])

    def add(tag, op, expected, **fields):
        if tag.replace("again-", "") in LAX:
            fields["may_refuse"] = "Python's UUID takes this, Django never writes it"
        corpus.add("custom_user", tag="%s/%s/%s" % (name, op, tag), op=op, user_model=about, sqlite_sql=sql, secret=corpus.default_secret, **fields, expected=expected)

    with site(SECRET_KEY=corpus.default_secret):
        h0, h1 = users[0].get_session_auth_hash(), users[1].get_session_auth_hash()
    key = str(users[0].pk)
    inactive = str(users[1].pk)

    def session(id_, hash_=h0):
        return {"_auth_user_id": id_, "_auth_user_backend": MODEL, "_auth_user_hash": hash_}

    for tag, id_ in [("ok", key)] + spellings(about["pk_kind"], key) + [("missing", str(missing(about["pk_kind"], rng)))]:
        Session.objects.all().delete()
        with site(SECRET_KEY=corpus.default_secret), seeded(rng):
            data = session(id_)
            add(tag, "get_user", ask_user(data, as_text=True), session=data, backends=[MODEL])
    for tag, data in [("inactive", session(inactive, h1)), ("hash-of-other", session(key, h1)), ("no-hash", {k: v for k, v in session(key).items() if not k.endswith("hash")})]:
        Session.objects.all().delete()
        with site(SECRET_KEY=corpus.default_secret), seeded(rng):
            add(tag, "get_user", ask_user(data, as_text=True), session=data, backends=[MODEL])
    for tag, before in [("new", None), ("with-data", {"cart": [1]}), ("again", {**session(key), "cart": [1]}), ("other", {**session(inactive, h1), "cart": [1]})] + [
            ("again-" + tag, {**session(id_), "cart": [1]}) for tag, id_ in spellings(about["pk_kind"], key)[:7] if readable(model, id_)]:
        Session.objects.all().delete()
        with site(SECRET_KEY=corpus.default_secret), seeded(rng):
            add(tag, "login", outcome(lambda: do_login(before, users[0], MODEL)), session_before=before, user_id=key)
    login_name = users[0].get_username()
    for tag, username, password in [("ok", login_name, "pw"), ("wrong", login_name, "pW"), ("case", login_name.swapcase(), "pw"), ("inactive", users[1].get_username(), "pw"), ("missing", "nobody", "pw"),
                                    ("none", None, "pw"), ("no-password", login_name, None), ("space", login_name + " ", "pw"), ("by-key", key, "pw")]:
        def call():
            with site(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
                user = auth.authenticate(None, username=username, password=password)
            return str(user.pk) if user else None
        add(tag, "authenticate", outcome(call, "user_id"), username=username, password=password)
    if about["has_permissions"]:
        permissions(corpus, rng, model, about, users, name)


def pks(rng, kind):
    import uuid

    if kind == "uuid":
        return [uuid.UUID(int=rng.getrandbits(128), version=4) for _ in range(3)]
    if kind == "text":
        return ["M-" + rng.text(6), "ключ " + rng.text(3), "1"]
    return [2**53 + rng.randint(1, 10**6), 2**62 + rng.randint(0, 10**6), rng.randint(1, 9)]


def missing(kind, rng):
    return pks(rng, kind)[0] if kind != "text" else "M-none"


def spellings(kind, key):
    """Other ways to write the key that a session might hold."""
    if kind == "uuid":
        plain = key.replace("-", "")
        return [
            ("upper", key.upper()), ("braces", "{" + key + "}"), ("urn", "urn:uuid:" + key), ("no-dashes", plain), ("upper-no-dashes", plain.upper()), ("urn-upper", "URN:UUID:" + key), ("odd-dashes", "-".join(plain)),
            ("short", plain[:-1]), ("long", plain + "0"), ("space", " " + key), ("half-brace", "{" + key), ("inner-braces", key.replace("-", "}{")), ("not-hex", "g" + plain[1:]), ("empty", ""), ("text", "abc"),
            ("number", 5), ("big-number", int(plain, 16)), ("null", None), ("list", [key]), ("plus", "+" + plain[1:]), ("underscore", plain[0] + "_" + plain[2:]), ("fullwidth", "１" + plain[1:]), ("0x", "0x" + plain[2:]),
            ("bool", True), ("negative", -1), ("float", 1.0), ("newline", key + "\n"), ("urn-twice", "urn:urn:uuid:" + key), ("uuid-prefix", "uuid:" + key),
        ]
    if kind == "text":
        return [("lower", key.lower()), ("space", key + " "), ("lead-space", " " + key), ("number", 1), ("true", True), ("float", 1.0), ("null", None), ("list", ["1"]), ("empty", ""), ("dict", {"a": 1})]
    return [("space", " %s " % key), ("plus", "+" + key), ("lead0", "0" + key), ("float", key + ".0"), ("text", "abc"), ("number", int(key)), ("over64", str(2**64)), ("i64", str(2**63)), ("underscore", key[0] + "_" + key[1:])]


def readable(model, id_):
    try:
        return id_ is not None and model._meta.pk.to_python(id_) is not None
    except Exception:
        return False


def create(model, about, rng, i, pk):
    values = {model._meta.pk.name: pk, "password": hashers.make_password("pw")}
    values[model.USERNAME_FIELD] = "user%d@Example.org" % i if about["username_field"] == "mail" else "user%d-é" % i
    if about["has_is_active"]:
        values["is_active"] = i != 1
    if "date_joined" in about["columns"]:
        values["date_joined"] = datetime(2026, 1, 1, tzinfo=zone.utc)
    if about["has_permissions"]:
        values["is_superuser"] = i == 2
    return model._default_manager.create(**values)


def permissions(corpus, rng, model, about, users, name):
    from django.contrib.auth.models import Group, Permission
    from django.contrib.contenttypes.models import ContentType

    from auth_sections import about_user

    for m in (Group, Permission, ContentType):
        m.objects.all().delete()
    kind = ContentType.objects.create(app_label="blog", model="item")
    known = [Permission.objects.create(name=verb, content_type=kind, codename=verb + "_item") for verb in ("add", "change", "delete", "view")]
    group = Group.objects.create(name="editors")
    group.permissions.set(known[:2])
    users[0].groups.set([group])
    users[0].user_permissions.set([known[3]])
    users[1].groups.set([group])
    through = [model.groups.through._meta, model.user_permissions.through._meta]
    tables = [about["table"], "auth_group", "auth_group_permissions", "auth_permission", "django_content_type"] + [m.db_table for m in through]
    join = {m.db_table: m.get_field(model._meta.model_name).column for m in through}
    expected = []
    for user in users:
        answer = about_user(model._default_manager.get(pk=user.pk), ["blog.add_item", "blog.view_item", "blog.delete_item", "blog.nope"], ["blog"])
        answer["id"] = str(answer["id"])
        expected.append(answer)
    corpus.add("custom_user", tag=name + "/permissions/all", op="permissions", user_model={**about, "user_columns_of_relations": join}, sqlite_sql=dump(tables), secret=corpus.default_secret, expected=expected)
