"""Which gate stands on which road."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import router
from django.db.models import Model, QuerySet, signals
from django.dispatch import Signal

from authkit.access import issued_tokens, ledger
from authkit.access.gates import (
    assignments,
    bulk,
    claims,
    endpoints,
    impersonated,
    owing,
    people,
    people_at_once,
    permissions,
    roles,
    unsignalled,
)
from authkit.access.gates.relations import Change, watch
from authkit.models import (
    Assignment,
    BearerToken,
    ClaimRole,
    Endpoint,
    Role,
    Rule,
    SocialProvider,
)
from authkit.models.kinds import kinds_of, names_of

_UID = "authkit.access.gates"


def listen() -> None:
    """Stand there; called once, when all models are there."""
    _on(Rule, signals.pre_save, roles.before_rule_is_saved)
    _on(Rule, signals.post_save, roles.after_rule_is_saved)
    _on(Rule, signals.pre_delete, roles.before_rule_is_deleted)
    _on(Rule, signals.post_delete, roles.after_rule_is_deleted)
    _on(Role, signals.pre_save, roles.before_role_is_saved)
    _on(Role, signals.post_save, roles.after_role_is_saved)
    _on(Role, signals.pre_delete, roles.before_role_is_deleted)
    _on(Role, signals.post_delete, roles.after_role_is_deleted)
    _on(Assignment, signals.pre_save, assignments.before_saved)
    _on(Assignment, signals.post_save, assignments.after_saved)
    _on(Assignment, signals.pre_delete, assignments.before_deleted)
    _on(Assignment, signals.post_delete, assignments.after_deleted)
    _on(Endpoint, signals.pre_save, endpoints.before_saved)
    _on(Endpoint, signals.post_save, endpoints.after_saved)
    _on(Endpoint, signals.pre_delete, endpoints.before_deleted)
    _on(Group, signals.pre_delete, people.before_group_deleted)
    _on(Group, signals.post_delete, people.after_group_deleted)
    _on(BearerToken, signals.pre_save, issued_tokens.before_saved)
    unsignalled.watch(BearerToken, issued_tokens.Road())
    _on(ClaimRole, signals.pre_save, claims.before_claim_changes)
    _on(ClaimRole, signals.pre_delete, claims.before_claim_changes)
    _on(SocialProvider, signals.pre_save, claims.before_provider_saved)
    for model, road in claims.roads().items():
        unsignalled.watch(model, road)
    for naming in (Permission, ContentType):
        _on(naming, signals.pre_save, permissions.before_saved)
        _on(naming, signals.post_save, permissions.after_saved)
        unsignalled.watch(naming, permissions.Road())
    _on(Permission, signals.pre_delete, permissions.before_deleted)
    _on(Permission, signals.post_delete, permissions.after_deleted)
    people_model = get_user_model()
    _on(people_model, signals.pre_save, people.before_saved)
    _on(people_model, signals.post_save, people.after_saved)
    _on(people_model, signals.pre_delete, people.before_deleted)
    _on(people_model, signals.post_delete, people.after_deleted)
    for person in kinds_of(people_model):
        unsignalled.watch(person, people_at_once.Road(person))
    for ours in (Rule, Role, Assignment, Endpoint):
        _on(ours, signals.post_save, bulk.after_loaded)
        unsignalled.watch(ours, bulk.Road(ours))
    for kind in (Rule, Role, Assignment, Endpoint, Group, BearerToken, Permission):
        _on(kind, signals.pre_save, impersonated.require_own_hand)
        _on(kind, signals.pre_delete, impersonated.require_own_hand)
    _watch_relations()
    owing.listen()


def _on(model: type[Model], signal: Signal, gate: Any) -> None:
    """Stand on this road of a model, whatever name it goes by."""
    is_about_removal = signal in (signals.pre_delete, signals.post_delete)
    uid = f"{_UID}.{gate.__module__}.{gate.__qualname__}"
    for kind in names_of(model) if is_about_removal else kinds_of(model):
        signal.connect(gate, sender=kind, dispatch_uid=uid)


def _watch_relations() -> None:
    role: Any = Role
    watch(role.includes.field, roles.before_includes_change, _includes_changed, "policy")
    watch(role.permissions.field, roles.before_permissions_change, _role_permissions, "policy")
    group: Any = Group
    before = people.before_group_permissions_change
    watch(group.permissions.field, before, _group_permissions)
    for field in get_user_model()._meta.many_to_many:
        if field.name == "groups" and field.related_model is Group:
            watch(field, people.before_groups_change, _members, "people")
        if field.name == "user_permissions":
            watch(field, people.before_permissions_change, _person_permissions)


def _includes_changed(change: Change) -> None:
    _write("role_includes_changed", change, _slugs, _slugs)


def _role_permissions(change: Change) -> None:
    _write("role_permissions_changed", change, _slugs, _permissions)


def _group_permissions(change: Change) -> None:
    _write("group_permissions_changed", change, _groups, _permissions)


def _person_permissions(change: Change) -> None:
    _write("person_permissions_changed", change, _keys, _permissions)


def _members(change: Change) -> None:
    _write("person_groups_changed", change, _keys, _groups)


def _write(kind: str, change: Change, name_near: Any, name_far: Any) -> None:
    near = name_near({one for one, _ in change.pairs})
    far = name_far({other for _, other in change.pairs})
    for key, subject in near.items():
        names = [far[other] for one, other in change.pairs if one == key and other in far]
        added, removed = (names, []) if change.is_adding else ([], names)
        ledger.relation_changed(kind, subject, added, removed)


def _slugs(keys: set[Any]) -> dict[Any, str]:
    return dict(_as_written(Role).filter(pk__in=keys).values_list("pk", "slug"))


def _groups(keys: set[Any]) -> dict[Any, str]:
    return dict(_as_written(Group).filter(pk__in=keys).values_list("pk", "name"))


def _permissions(keys: set[Any]) -> dict[Any, str]:
    rows = _as_written(Permission).filter(pk__in=keys)
    found = rows.values_list("pk", "content_type__app_label", "codename")
    return {key: f"{app_label}.{codename}" for key, app_label, codename in found}


def _as_written(model: type[Model]) -> QuerySet[Any]:
    """Its rows where they are written: a replica may not know yet what has just been made."""
    return model._base_manager.using(router.db_for_write(model))


def _keys(keys: set[Any]) -> dict[Any, str]:
    return {key: str(key) for key in keys}
