"""Roles, rules and endpoints for the pages about access, and edits as forms send them."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from authkit.access import conditions, discovery
from authkit.models import Endpoint, Role, Rule

URLS = "tests.access.urls"
MATRIX = "admin:authkit_matrix_changelist"
EXPLAIN = "admin:authkit_explain_changelist"


def register_conditions(monkeypatch: Any) -> None:
    """Two conditions on people, and none of anybody else's."""
    monkeypatch.setattr(conditions, "_registered", {})
    model = get_user_model()
    conditions.condition("themselves", model=model, verbose_name="it is their own account")(
        lambda user: Q(pk=user.pk)
    )
    conditions.condition("grouped", model=model)(lambda user: Q(groups__name__startswith="g"))


def review_all() -> None:
    """Somebody has looked at every endpoint."""
    now = timezone.now()
    keys = discovery.registry(settings.ROOT_URLCONF).endpoints
    rows = [Endpoint(key=key, found_at=now) for key in keys]
    Endpoint.objects.bulk_create(rows, ignore_conflicts=True)
    Endpoint.objects.filter(key__in=keys).update(state="active", reviewed_at=now)


def role(slug: str, *rules: str, includes: Any = ()) -> Role:
    """A role with rules such as ``allow api.person:read when themselves``."""
    made, _ = Role.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
    for text in rules:
        rule(made, text)
    made.includes.add(*includes)
    return made


def rule(of: Role, text: str, **more: Any) -> Rule:
    """One rule of a role."""
    effect, access, *when = text.split()
    endpoints, _, actions = access.partition(":")
    condition = when[1] if when else ""
    return Rule.objects.create(
        role=of, effect=effect, endpoints=endpoints, actions=actions, condition=condition, **more
    )


def edit(slug: str, access: str, *wanted: str) -> str:
    """``edit("clerk", "api.person:read", "allow when themselves")`` as the page sends it."""
    key, _, actions = access.partition(":")
    parts = [text.partition(" when ") for text in wanted]
    statements = [[effect, condition or None] for effect, _, condition in parts]
    return json.dumps([slug, key, actions, statements])


def rules() -> set[str]:
    """All rules in force, as ``clerk: allow api.person:read``."""
    return {f"{rule.role.slug}: {rule}" for rule in Rule.objects.filter(is_enabled=True)}


def matrix_url(**query: str) -> str:
    return reverse(MATRIX, query=query)
