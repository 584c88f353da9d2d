"""Proxies, as projects make them for another name or another page in the admin site."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import models

from authkit.models import Assignment, BearerToken, Endpoint, Role, Rule

Person: Any = get_user_model()
Membership: Any = Person._meta.get_field("groups").remote_field.through


class Profile(Role):
    class Meta:
        proxy = True


class Line(Rule):
    """Brings a manager that knows nothing of ours."""

    objects = models.Manager()  # type: ignore[misc]

    class Meta:
        proxy = True


class Gift(Assignment):
    class Meta:
        proxy = True


class Place(Endpoint):
    class Meta:
        proxy = True


class Team(Group):
    class Meta:
        proxy = True


class Right(Permission):
    class Meta:
        proxy = True


class Colleague(Person):  # type: ignore[misc]
    class Meta:
        proxy = True


class Pass(BearerToken):
    class Meta:
        proxy = True


class Member(Membership):  # type: ignore[misc]
    class Meta:
        proxy = True


if settings.USER_MODEL == "default":  # elsewhere there is no demo
    from demo_project.articles.models import Article

    class Piece(Article):
        class Meta:
            proxy = True
