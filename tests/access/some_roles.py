"""Roles for tests, with rules as people write them."""

from __future__ import annotations

from typing import Any

from authkit.kernel.rule_line import parse_rule
from authkit.models import Assignment, Role, Rule


def role(slug: str, *rules: str, **fields: Any) -> Role:
    """A role with rules such as ``allow api.person:read when themselves``."""
    made, _ = Role.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
    for text in rules:
        line = parse_rule(text)
        Rule.objects.create(
            role=made,
            effect=line.effect,
            endpoints=line.access.endpoint.text,
            actions=",".join(line.access.actions),
            condition=line.condition or "",
            **fields,
        )
    return made


def give(user: Any, made: Role, **span: Any) -> Assignment:
    return Assignment.objects.create(user=user, role=made, **span)
