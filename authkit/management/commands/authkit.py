"""``manage.py authkit COMMAND``: what runs the house from a terminal or a timetable."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, DjangoHelpFormatter

from authkit.management.subcommands import SUBCOMMANDS
from authkit.management.subcommands.base import common_options


class Command(BaseCommand):
    """Hands over to one of `SUBCOMMANDS`."""

    help = "Runs authkit: see the commands below, and `manage.py authkit COMMAND --help`."
    # `keys` must work where a key is what is wrong; the others ask for the settings first.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """A branch for each subcommand."""
        branches = parser.add_subparsers(
            dest="subcommand", metavar="COMMAND", title="commands", required=True
        )
        for each in SUBCOMMANDS:
            branch = branches.add_parser(
                each.name,
                help=each.help,
                description=each.help,
                parents=[common_options()],
                formatter_class=DjangoHelpFormatter,
            )
            each.add_arguments(branch)

    def handle(self, *, subcommand: str, **options: Any) -> None:
        """Run one."""
        kind = next(each for each in SUBCOMMANDS if each.name == subcommand)
        try:
            kind(self.stdout, self.stderr, self.style).run(**options)
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
