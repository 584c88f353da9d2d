"""``manage.py authkit matrix``: who may do what, as a table."""

from __future__ import annotations

import csv
import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import Error as DatabaseFailure
from django.db import router

from authkit.access import loading, stances
from authkit.access.difference_in_words import stance
from authkit.access.stances import Row
from authkit.kernel import visible
from authkit.kernel.difference import Stance
from authkit.kernel.language import PatternError
from authkit.kernel.policy import PolicyError, Role
from authkit.management.subcommands.base import Subcommand
from authkit.models import AccessRevision


class Matrix(Subcommand):
    """Shows the access matrix."""

    name = "matrix"
    help = "Shows what each role may do at each endpoint, with what it includes."

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        """How to write it."""
        parser.add_argument(
            "--format", choices=tuple(_WRITERS), default="table", help="default: table"
        )

    def run(self, *, format: str, **options: Any) -> None:  # noqa: A002 - the option's name
        """Write it."""
        try:
            policy = loading.load(router.db_for_read(AccessRevision), settings.ROOT_URLCONF)
        except (PolicyError, PatternError) as error:
            raise CommandError(f"The stored rules cannot be read: {error}") from error
        except DatabaseFailure as failure:
            raise CommandError(f"The database failed: {failure}") from failure
        _WRITERS[format](self, policy.snapshot.roles, list(stances.rows(policy)))
        self.say(
            f"{len(policy.snapshot.endpoints):,} endpoints, {len(policy.snapshot.roles):,} roles."
        )

    def as_table(self, roles: tuple[Role, ...], rows: list[Row]) -> None:
        """Under each other, for people."""
        self.show_table(_head(roles), [_cells(roles, row) for row in rows])

    def as_json(self, roles: tuple[Role, ...], rows: list[Row]) -> None:
        """For programs."""
        self.stdout.write(
            json.dumps(
                {
                    "roles": [
                        {"slug": r.id, "name": r.name, "includes": list(r.includes)} for r in roles
                    ],
                    "matrix": [_as_data(row) for row in rows],
                },
                indent=2,
                ensure_ascii=False,
            )
        )

    def as_csv(self, roles: tuple[Role, ...], rows: list[Row]) -> None:
        """For spreadsheets (RFC 4180)."""
        writer = csv.writer(_Lines(self.stdout), lineterminator="\r\n")
        for cells in (_head(roles), *(_cells(roles, row) for row in rows)):
            writer.writerow([visible.cell(text) for text in cells])


class _Lines:
    """A file for `csv`, which writes each line with its end."""

    def __init__(self, stdout: Any) -> None:
        self._stdout = stdout

    def write(self, line: str) -> None:
        self._stdout.write(line, ending="")


_WRITERS = {"table": Matrix.as_table, "json": Matrix.as_json, "csv": Matrix.as_csv}


def _head(roles: tuple[Role, ...]) -> list[str]:
    return ["access", "methods", "code", *(role.id for role in roles)]


def _cells(roles: tuple[Role, ...], row: Row) -> list[str]:
    brought = (row.roles.get(role.id) for role in roles)
    words = [stance(each) if each else "" for each in brought]
    return [row.access, " ".join(row.methods), "; ".join(_of_code(row)), *words]


def _of_code(row: Row) -> list[str]:
    words: list[str] = [] if row.state == "active" else [row.state]
    words += ["public"] if row.is_public else []
    words += ["locked"] if row.is_locked else []
    return words + [f"requires {permission}" for permission in row.permissions]


def _as_data(row: Row) -> dict[str, Any]:
    return {
        "access": row.access,
        "methods": list(row.methods),
        "routes": list(row.routes),
        "state": row.state,
        "public": row.is_public,
        "locked": row.is_locked,
        "permissions": list(row.permissions),
        "roles": {slug: _stance_as_data(its) for slug, its in sorted(row.roles.items())},
    }


def _stance_as_data(its: Stance) -> dict[str, Any]:
    return {
        "allow": its.allows,
        "allow_when": sorted(its.allows_if),
        "deny": its.denies,
        "deny_when": sorted(its.denies_if),
    }
