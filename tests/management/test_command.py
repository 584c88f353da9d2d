"""``manage.py authkit`` itself, as people type it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command, execute_from_command_line
from django.test import override_settings

from tests.ground import ROOT


def authkit(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "authkit", *arguments],
        cwd=ROOT,
        env={"DATABASE_URL": "sqlite://:memory:", "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        check=False,
    )


def code_of(*arguments: str) -> object:
    """The exit code of a command that runs in this process."""
    try:
        execute_from_command_line(["manage.py", "authkit", *arguments])
    except SystemExit as exited:
        return exited.code
    return 0


@pytest.mark.slow
@pytest.mark.default_user_only
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("", 2),
        ("prune", 1),  # this database has no tables
        ("matrix", 1),
        ("explain - no.such:read", 1),
        ("policy export -", 1),
        ("keys list --no-color --verbosity 2 --settings tests.settings", 0),
    ],
)
def test_it_exits_with_zero_only_if_it_did_what_was_asked(arguments, code):
    run = authkit(*arguments.split())
    assert run.returncode == code, run.stdout + run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.default_user_only
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("--help", 0),
        ("nonsense", 2),
        ("keys", 2),
        ("keys --help", 0),
        ("keys generate --help", 0),
        ("keys generate --algorithm none", 2),
        ("keys check", 0),
        ("prune --help", 0),
        ("prune --batch 0", 2),
        ("matrix --help", 0),
        ("matrix --format xml", 2),
        ("explain --help", 0),
        ("explain", 2),
        ("policy --help", 0),
        ("policy", 2),
        ("policy import --help", 0),
        ("policy import no-such-file", 1),
    ],
)
def test_help_is_a_success_and_what_it_does_not_understand_is_none(arguments, code, capsys):
    assert code_of(*arguments.split()) == code, capsys.readouterr()


@pytest.mark.parametrize("subcommand", [["keys", "list"], ["keys", "check"], ["prune"]])
@override_settings(AUTHKIT={"NO_SUCH_KEY": 1})
def test_settings_that_are_wrong_are_named(subcommand):
    with pytest.raises(CommandError, match="NO_SUCH_KEY"):
        call_command("authkit", *subcommand)
