"""``manage.py authkit policy export|diff|import FILE``: roles and rules as a file."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import Error as DatabaseFailure

from authkit.access.difference_in_words import in_words
from authkit.access.policy_file import (
    MAX_SIZE,
    Imported,
    PolicyFileError,
    export_policy,
    import_policy,
)
from authkit.exceptions import NotPermitted
from authkit.management.subcommands.base import Subcommand, common_options
from authkit.management.subcommands.people import find_person

_STANDARD = "-"


class Policy(Subcommand):
    """Carries roles and rules from one system to another, past a reviewer."""

    name = "policy"
    help = "Writes roles and rules to a file, compares them with one, or takes them from one."

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        """What to do with the file."""
        actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
        for name, text in (
            ("export", "Writes what is stored to FILE (- for stdout)."),
            ("diff", "Says what an import of FILE would change, and who would gain and lose."),
            ("import", "Makes what is stored say what FILE says: all of it, or nothing."),
        ):
            branch = actions.add_parser(
                name, help=text, description=text, parents=[common_options()]
            )
            branch.add_argument("file", metavar="FILE", help="- for stdin or stdout")
            _OPTIONS[name](branch)

    def run(self, *, action: str, file: str, **options: Any) -> None:
        """Do one of the three."""
        try:
            if action == "export":
                self._export(file, with_groups=options["with_groups"])
            elif action == "diff":
                self._diff(file, prune=options["prune"], exit_code=options["exit_code"])
            else:
                self._import(file, options)
        except PolicyFileError as error:
            raise CommandError(f"{_called(file)}: {error}") from error
        except NotPermitted as error:
            raise CommandError(f"{options.get('as_user')} may not do this: {error}") from error
        except DatabaseFailure as failure:
            raise CommandError(f"The database failed, nothing has changed: {failure}") from failure

    def _export(self, file: str, *, with_groups: bool) -> None:
        text = export_policy(with_groups=with_groups)
        if file == _STANDARD:
            self.stdout.write(text, ending="")
            return
        try:
            Path(file).write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        self.say(f"The policy is written to {file}.")

    def _diff(self, file: str, *, prune: bool, exit_code: bool) -> None:
        found = import_policy(_content(file), prune=prune, dry_run=True)
        self._show(found)
        if found.difference and exit_code:
            raise CommandError("The file and what is stored are not the same.", returncode=1)

    def _import(self, file: str, options: dict[str, Any]) -> None:
        actor = find_person(options["as_user"]) if options["as_user"] else None
        is_dry = options["dry_run"]
        found = import_policy(_content(file), actor=actor, prune=options["prune"], dry_run=is_dry)
        self._show(found)
        if found.difference:
            self.say("Nothing has been changed." if is_dry else "The policy has been imported.")

    def _show(self, found: Imported) -> None:
        for line in found.difference:
            self.stdout.write(line)
        if not found.difference:
            self.say("What is stored says the same already.")
        words = list(in_words(found.changes))
        if words:
            self.stdout.write("")
        for line in words:
            self.stdout.write(line)
        for note in found.notes:
            self.say(note)


def _for_export(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--with-groups", action="store_true", help="also which groups of people have each role"
    )


def _for_diff(parser: ArgumentParser) -> None:
    _pruning(parser)
    parser.add_argument(
        "--exit-code", action="store_true", help="exit with 1 if anything would change"
    )


def _for_import(parser: ArgumentParser) -> None:
    _pruning(parser)
    parser.add_argument("--dry-run", action="store_true", help="take everything back at the end")
    parser.add_argument(
        "--as",
        dest="as_user",
        metavar="USER",
        help="on behalf of this person, who can give no more than they have",
    )


def _pruning(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--prune", action="store_true", help="delete the roles that the file does not name"
    )


_OPTIONS = {"export": _for_export, "diff": _for_diff, "import": _for_import}


def _called(file: str) -> str:
    return "stdin" if file == _STANDARD else file


def _content(file: str) -> bytes:
    """The file, and hardly more of it than is taken."""
    try:
        if file == _STANDARD:
            return sys.stdin.buffer.read(MAX_SIZE + 1)
        with Path(file).open("rb") as opened:
            return opened.read(MAX_SIZE + 1)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
