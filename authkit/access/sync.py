"""Write down what the URLconf reaches: endpoints, built-in roles, defaults of code.

Asked again and again it changes nothing, and counts no change of access either. Endpoints
are never deleted. Administrators' work is never overwritten (`defaults`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseFailure
from django.db import connections, models, router, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from authkit.access import defaults, discovery
from authkit.access.defaults import Default, DefaultsPlan
from authkit.access.discovery import FoundEndpoint, Registry
from authkit.kernel.policy import ANYONE, AUTHENTICATED, STAFF
from authkit.models import Endpoint, Role, Rule
from authkit.models.access_revision import AccessRevision, changed

_logger = logging.getLogger("authkit")

#: Names of the built-in roles, for people; they are translated when shown.
BUILT_IN_NAMES = {
    ANYONE: gettext_noop("Anyone"),
    AUTHENTICATED: gettext_noop("Signed in"),
    STAFF: gettext_noop("Staff"),
}

#: What is raised by a URLconf that cannot be imported, and by the views that it imports.
UNREADABLE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    DatabaseFailure,
    ImportError,
    ImproperlyConfigured,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)

_COLUMNS = ("view", "model", "routes", "methods", "declared")


@dataclass(slots=True)
class Changes:
    """What a sync changes, or would change.

    Attributes:
        new, changed, returned, gone: rows of endpoints.
        roles: short names of roles to be made.
        defaults: rules of code.
    """

    new: list[Endpoint] = field(default_factory=list)
    changed: list[Endpoint] = field(default_factory=list)
    returned: list[Endpoint] = field(default_factory=list)
    gone: list[Endpoint] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    defaults: DefaultsPlan = field(default_factory=DefaultsPlan)

    def __bool__(self) -> bool:
        endpoints = self.new or self.changed or self.returned or self.gone
        return bool(endpoints or self.roles or self.defaults)


def sync(*, now: datetime | None = None) -> Changes:
    """Write down what the project's URLconf reaches, in one transaction.

    Several processes may do so at once: one after the other.

    Raises:
        django.db.Error: the database failed; nothing has changed.
        One of UNREADABLE: the URLconf cannot be imported.
    """
    registry = discovery.registry()
    moment = now or timezone.now()
    if not plan(registry, now=moment):
        return Changes()
    with transaction.atomic(using=router.db_for_write(AccessRevision)):
        changed("policy")  # holds the row until the end, so nobody else syncs meanwhile
        found = plan(registry, now=moment)
        _carry_out(found)
    return found


def plan(registry: Registry, *, now: datetime) -> Changes:
    """Compare the URLconf with what is written down."""
    found = Changes()
    rows = {row.key: row for row in Endpoint.objects.all()}
    for endpoint in registry.governed():
        _compare(endpoint, rows.pop(endpoint.key, None), found, now)
    for row in rows.values():
        if row.state != Endpoint.State.MISSING:
            row.state, row.missing_since = Endpoint.State.MISSING, now
            found.gone.append(row)
    declared = defaults.declared_in(registry)
    found.roles = _missing_roles(declared)
    found.defaults = defaults.plan(declared, defaults.stored_rules())
    return found


def describe(endpoint: FoundEndpoint) -> dict[str, Any]:
    """What code declares of an endpoint, as it is shown in the admin."""
    declared = endpoint.declared("active")
    return {
        "public": list(declared.public),
        "locked": list(declared.locked),
        "requirements": [
            {
                "permissions": list(one.permissions),
                "recent": None if one.recent is None else one.recent.total_seconds(),
                "actions": list(one.actions),
            }
            for one in declared.requirements
        ],
        "allows": [
            {"roles": list(a.roles), "actions": list(words), "condition": a.condition}
            for a, words in endpoint.allows()
        ],
    }


def after_migrate(*, using: str, verbosity: int = 1, **_: Any) -> None:
    """Sync when ``migrate`` has run. It never makes ``migrate`` fail."""
    if using != router.db_for_write(Endpoint) or not _has_tables(using):
        return
    try:
        discovery.registry()
    except UNREADABLE as error:
        _logger.warning(
            "The URLconf cannot be read, so endpoints and default rules are not up to date."
            " Mend it and run `manage.py authkit sync`: %s: %s",
            type(error).__name__,
            error,
        )
        return
    sync()


def _compare(endpoint: FoundEndpoint, row: Endpoint | None, found: Changes, now: datetime) -> None:
    values = {
        "view": endpoint.view[:300],
        "model": "" if endpoint.model is None else endpoint.model._meta.label,
        "routes": endpoint.routes,
        "methods": endpoint.methods,
        "declared": describe(endpoint),
    }
    if row is None:
        found.new.append(Endpoint(key=endpoint.key, found_at=now, **values))
        return
    is_changed = any(getattr(row, name) != value for name, value in values.items())
    for name, value in values.items():
        setattr(row, name, value)
    if row.state == Endpoint.State.MISSING:
        row.state, row.missing_since = Endpoint.State.RETURNED, None
        found.returned.append(row)
    elif is_changed:
        found.changed.append(row)


def _missing_roles(declared: list[Default]) -> list[str]:
    wanted = dict.fromkeys([*BUILT_IN_NAMES, *(default.role for default in declared)])
    known = set(Role.objects.filter(slug__in=wanted).values_list("slug", flat=True))
    return [slug for slug in wanted if slug not in known]


def _carry_out(found: Changes) -> None:
    if found.new:
        Endpoint.objects.bulk_create(found.new)
    rows = [*found.changed, *found.returned, *found.gone]
    if rows:
        Endpoint.objects.bulk_update(rows, [*_COLUMNS, "state", "missing_since"], batch_size=200)
    if found.roles:
        Role.objects.bulk_create(Role(slug=slug, name=_name_of(slug)) for slug in found.roles)
    defaults.carry_out(found.defaults)


def _name_of(slug: str) -> str:
    return BUILT_IN_NAMES.get(slug) or slug.replace("-", " ").replace("_", " ").capitalize()


def _has_tables(using: str) -> bool:
    """Whether the database has all that a sync needs; not so when migrations go backwards."""
    connection = connections[using]
    kinds: tuple[type[models.Model], ...] = (Endpoint, Role, Rule, AccessRevision)
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for kind in kinds:
            if kind._meta.db_table not in tables:
                return False
            described = connection.introspection.get_table_description(cursor, kind._meta.db_table)
            stored = {column.name for column in described}
            if not {f.column for f in kind._meta.concrete_fields} <= stored:
                return False
    return True
