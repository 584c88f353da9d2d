"""Whether authkit can rely on what the project's databases tell it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

#: Packages whose engines read another schema of one database for each tenant.
_OF_TENANTS = ("django_tenants.", "tenant_schemas.", "django_pgschemas.")


def check_time_zones(**_: Any) -> list[CheckMessage]:
    """Moments have a time zone, so that one is not compared with another zone's."""
    if settings.USE_TZ:
        return []
    return [
        Error(
            "USE_TZ is False: when a session or token ends could not be told for sure.",
            hint="Set USE_TZ = True; TIME_ZONE still says how moments are shown.",
            id="authkit.E011",
        )
    ]


def check_schemas(**_: Any) -> list[CheckMessage]:
    """A process knows the sessions, people and roles of one set of tables."""
    engines = {alias: str(each.get("ENGINE", "")) for alias, each in settings.DATABASES.items()}
    return [
        Error(
            f"DATABASES[{alias!r}] has a schema for each tenant. What a process knows of people,"
            " roles and ended sessions is known by primary key, whichever schema it is in: one"
            " tenant's JWT would be taken for another tenant's person.",
            hint="Keep the tables of authkit and of the user model in one schema for all tenants,"
            " and silence this check; or run processes of their own, with keys of their own, for"
            " each.",
            id="authkit.E012",
        )
        for alias, engine in engines.items()
        if engine.startswith(_OF_TENANTS)
    ]
