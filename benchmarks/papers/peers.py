"""How each of the peers is asked, as its documentation has it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

import casbin
from rest_access_policy import AccessPolicy
from rest_framework.permissions import BasePermission
from rolepermissions.checkers import has_role
from rolepermissions.roles import AbstractUserRole

_MODEL = """
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
"""


class Reader(AbstractUserRole):
    """django-role-permissions: a role."""

    available_permissions: ClassVar[dict[str, bool]] = {}


class HasRole(BasePermission):
    """django-role-permissions."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return bool(has_role(request.user, Reader))


class PaperAccessPolicy(AccessPolicy):
    """drf-access-policy: the group that `Reader` makes may read."""

    statements: ClassVar = [
        {"action": ["<method:get>"], "principal": ["group:reader"], "effect": "allow"}
    ]


class CasbinOf10(BasePermission):
    """casbin with so many policies; the one that allows is in the middle."""

    policies: ClassVar = 10

    def has_permission(self, request: Any, view: Any) -> bool:
        return enforcer(self.policies).enforce(request.user.username, "papers.list", "GET")


class CasbinOf10000(CasbinOf10):
    policies = 10_000


@lru_cache
def enforcer(policies: int) -> Any:
    """With roles, and policies about so many things."""
    made = casbin.Enforcer(casbin.Enforcer.new_model(text=_MODEL))
    made.add_policies(
        [
            ("reader", "papers.list" if n == policies // 2 else f"things.thing{n}", "GET")
            for n in range(policies)
        ]
    )
    made.add_grouping_policy("ada", "reader")
    return made
