"""``manage.py authkit sync``: write down what the URLconf reaches."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandError
from django.db import Error as DatabaseFailure
from django.utils import timezone

from authkit.access import defaults, discovery, sync
from authkit.access.discovery import Registry
from authkit.access.sync import Changes
from authkit.management.subcommands.base import Subcommand


class Sync(Subcommand):
    """Runs after each ``migrate`` as well."""

    name = "sync"
    help = (
        "Finds the endpoints that the URLconf reaches, and puts the default rules of code in"
        " force. What administrators have edited stays as it is and is reported."
    )

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        """Do it, or only say whether something is to be done."""
        parser.add_argument(
            "--check",
            action="store_true",
            help="change nothing; exit with 1 if a sync would change something",
        )

    def run(self, *, check: bool, verbosity: int, **options: Any) -> None:
        """Sync, and tell what has changed."""
        registry = _registry()
        try:
            found = sync.plan(registry, now=timezone.now()) if check else sync.sync()
            if verbosity:
                self._show(found, registry)
        except DatabaseFailure as failure:
            raise CommandError(f"The database failed, nothing is synced: {failure}") from failure
        if check and found:
            raise CommandError("The database is not up to date: run `manage.py authkit sync`.")

    def _show(self, found: Changes, registry: Registry) -> None:
        self._list("new endpoint", (row.key for row in found.new))
        self._list("returned endpoint", (row.key for row in found.returned))
        self._list("missing endpoint", (row.key for row in found.gone))
        self._list("changed endpoint", (row.key for row in found.changed))
        self._list("new role", found.roles)
        self._list("new default", map(str, found.defaults.create))
        self._list("default again", (str(default) for _, default in found.defaults.adopt))
        self._list(
            "default withdrawn",
            (f"allow {r.role.slug} {r.default}" for r in found.defaults.withdraw),
        )
        for one in defaults.drift(registry):
            self._list("edited", (_as_edited(rule) for rule in one.edited))
            self._list("  code says", map(str, one.declared) if one.declared else ["nothing"])
        self._list("closed, it has no name of its own", registry.nameless)
        self._list("closed, several views share this key", sorted(registry.ambiguous))
        count = sum(1 for _ in registry.governed())
        self.say(f"{count} endpoints, {'changes found' if found else 'nothing has changed'}.")

    def _list(self, head: str, lines: Iterable[str]) -> None:
        for line in lines:
            self.stdout.write(f"{head}: {line}")


def _registry() -> Registry:
    try:
        return discovery.registry()
    except sync.UNREADABLE as error:
        kind = type(error).__name__
        raise CommandError(f"The URLconf cannot be read: {kind}: {error}") from error


def _as_edited(rule: Any) -> str:
    off = "" if rule.is_enabled else " (switched off)"
    when = f" when {rule.condition}" if rule.condition else ""
    return f"{rule.effect} {rule.role.slug} {rule.endpoints}:{rule.actions}{when}{off}"
