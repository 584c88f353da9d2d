"""Short ways of writing roles and of giving them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission

from authkit.models import Assignment, Role, Rule


def role(slug: str, *rules: str) -> Role:
    """A role with rules such as ``allow api.person:read when themselves``."""
    made, _ = Role.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
    for text in rules:
        Rule.objects.create(role=made, **columns(text))
    return made


def columns(text: str) -> dict[str, str]:
    """The columns of a rule."""
    effect, access, *when = text.split()
    endpoints, _, actions = access.partition(":")
    return {
        "effect": effect,
        "endpoints": endpoints,
        "actions": actions,
        "condition": when[1] if when else "",
    }


def give(user: Any, made: Role, **span: Any) -> Assignment:
    return Assignment.objects.create(user=user, role=made, **span)


def permission(name: str) -> Permission:
    app_label, codename = name.split(".")
    return Permission.objects.get(content_type__app_label=app_label, codename=codename)
