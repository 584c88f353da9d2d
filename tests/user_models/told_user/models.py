from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models


class Manager(BaseUserManager["User"]):
    def create_user(self, email, password=None, **extra):
        person = self.model(email=email, **extra)
        person.set_password(password)
        person.save()
        return person


class User(AbstractBaseUser, PermissionsMixin):
    """Whether a person is active follows from their state, and stands in no column."""

    email = models.EmailField(unique=True)
    state = models.CharField(max_length=20, default="active")
    is_staff = models.BooleanField(default=False)

    USERNAME_FIELD = "email"
    objects = Manager()

    @property
    def is_active(self):  # type: ignore[override]
        return self.state == "active"
