"""``manage.py authkit explain USER ACCESS``: may they, and why or why not."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.core.management.base import CommandError
from django.db import Error as DatabaseFailure
from django.db.models import Model
from django.utils import timezone

from authkit.access import decide, discovery, explain
from authkit.access import explanation_in_words as words
from authkit.access.ways import ways_to_roles
from authkit.kernel.explanation import Explanation
from authkit.kernel.language import PatternError, parse_access
from authkit.kernel.patterns import has_action
from authkit.kernel.policy import BUILT_IN
from authkit.management.subcommands.base import Subcommand
from authkit.management.subcommands.people import find_person

_STRANGER = "-"


class Explain(Subcommand):
    """Answers what an administrator is asked most often."""

    name = "explain"
    help = (
        "Explains whether somebody may do something: the verdict, the rules that matter, how they"
        " came by their roles, and for a refusal what would have to change."
    )

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        """Who, and what."""
        parser.add_argument(
            "user", metavar="USER", help="user name or e-mail address; - for a stranger"
        )
        parser.add_argument("access", metavar="ACCESS", help="such as api.article:update")
        parser.add_argument("--object", metavar="PK", help="about this object of the endpoint")

    def run(self, *, user: str, access: str, object: str | None, **options: Any) -> None:  # noqa: A002
        """Answer; the exit code tells whether it was answered, not what."""
        try:
            key, action = parse_access(access)
        except PatternError as error:
            raise CommandError(str(error)) from error
        try:
            person = AnonymousUser() if user == _STRANGER else find_person(user)
            self._require(key, action)
            obj = None if object is None else _object(key, object)
            self._explain(person, access, obj)
        except DatabaseFailure as failure:
            raise CommandError(f"The database failed: {failure}") from failure

    def _require(self, key: str, action: str) -> None:
        known = {each.key: each for each in discovery.registry().governed()}
        endpoint = known.get(key)
        if endpoint is None:
            raise CommandError(f"There is no endpoint {key!r}: see `manage.py authkit matrix`.")
        declared = endpoint.declared("active")
        if not _has_any(declared.actions, action):
            there = ", ".join(declared.actions)
            raise CommandError(f"The endpoint {key!r} has no action {action!r}, but: {there}.")

    def _explain(self, person: Any, access: str, obj: Model | None) -> None:
        found = explain(person, access)
        decision = (
            found.decision if obj is None else decide(person, f"{found.key}:{found.action}", obj)
        )
        name = person.get_username() or "a stranger"
        about = "" if obj is None else f", {obj._meta.verbose_name} {obj.pk}"
        self.stdout.write(f"{name}, {found.key}:{found.action}{about}: {words.verdict(decision)}")
        self.stdout.write(f"decided by: {words.step_text(found.deciding_step)}")
        if decision.rule is not None:
            self.stdout.write(f"rule: {decision.rule}")
        self._list("rules that match", [words.match_text(each) for each in found.matches])
        self._list("roles", _ways(person, found))
        self._list(
            "what would have to change", [words.remedy_text(each, {}) for each in found.remedies]
        )

    def _list(self, title: str, lines: list[str]) -> None:
        if lines:
            self.stdout.write(f"{title}:")
        for line in lines:
            self.stdout.write(f"  {line}")


def _ways(person: Any, found: Explanation) -> list[str]:
    """Every role that was given, and the built-in ones that matter here."""
    ways = ways_to_roles(person, now=timezone.now())
    given = {match.path[0].id: match.path[0] for match in found.matches}
    lines = [line for slug in sorted(ways) for line in words.ways_text(slug, ways[slug])]
    return lines + [
        line for slug in BUILT_IN if slug in given for line in words.ways_text(slug, [])
    ]


def _object(key: str, primary_key: str) -> Model:
    model = next(each.model for each in discovery.registry().governed() if each.key == key)
    if model is None:
        raise CommandError(f"The endpoint {key!r} is about no model, so there are no objects.")
    try:
        found: Model = model._base_manager.get(pk=primary_key)
    except (ObjectDoesNotExist, ValidationError, ValueError, TypeError, OverflowError):
        name = model._meta.verbose_name
        raise CommandError(f"There is no {name} with the primary key {primary_key!r}.") from None
    return found


def _has_any(actions: tuple[str, ...], word: str) -> bool:
    """Whether an endpoint has this action, or any action of this group."""
    return any(has_action((word,), action) for action in actions)
