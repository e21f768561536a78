"""Only the model that AUTH_USER_MODEL names is defined: two models with permissions would share the reverse names of their groups."""
import uuid

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import AbstractUser, PermissionsMixin
from django.db import models

if settings.AUTH_USER_MODEL == "people.UUIDUser":

    class UUIDUser(AbstractUser):
        """Django's own columns behind a UUID key."""

        id = models.UUIDField(primary_key=True, default=uuid.uuid4)

elif settings.AUTH_USER_MODEL == "people.Account":

    class Account(AbstractBaseUser):
        """No is_active, no permissions, another name for the table, the key and the columns; signs in by e-mail."""

        account_no = models.BigAutoField(primary_key=True)
        email = models.EmailField("e-mail", unique=True, db_column="mail")
        nickname = models.CharField(max_length=40, default="")

        USERNAME_FIELD = "email"
        EMAIL_FIELD = "email"
        objects = BaseUserManager()

        class Meta:
            db_table = "accounts"

elif settings.AUTH_USER_MODEL == "people.Member":

    class Member(AbstractBaseUser, PermissionsMixin):
        """No last_login, a text for a key, is_active beside permissions."""

        code = models.CharField(max_length=20, primary_key=True)
        handle = models.CharField(max_length=60, unique=True)
        is_active = models.BooleanField(default=True)
        last_login = None

        USERNAME_FIELD = "handle"
        objects = BaseUserManager()

        class Meta:
            db_table = "club_member"

elif settings.AUTH_USER_MODEL == "people.BigUser":

    class BigUser(AbstractUser):
        """Django's own columns behind a 64-bit key, in a table with a name that must be quoted."""

        id = models.BigAutoField(primary_key=True)

        class Meta:
            db_table = "Our Users"
