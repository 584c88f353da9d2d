"""``manage.py authkit unlock USER``: let somebody try again who was locked out."""

from __future__ import annotations

from argparse import ArgumentParser
from ipaddress import ip_network
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Q
from django.utils import timezone

from authkit.accounts import identify, lockouts
from authkit.accounts.client import network_of
from authkit.management.subcommands.base import Subcommand


class Unlock(Subcommand):
    """Ends lock-outs before their time."""

    name = "unlock"
    help = (
        "Ends the lock-out of a person, or of an address, and forgets the failed attempts counted"
        " so far. Exits 1 if there was none."
    )

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        """Whom, or which address."""
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("user", nargs="?", metavar="USER", help="a user name or e-mail address")
        whom.add_argument("--address", help="an IP address, or a network such as 2001:db8::/64")

    def run(
        self, *, user: str | None, address: str | None, verbosity: int = 1, **options: Any
    ) -> None:
        """Unlock."""
        which, what = _address(address) if address is not None else _person(user or "")
        count = lockouts.lift(which, now=timezone.now())
        if not count:
            raise CommandError(f"{what} is not locked out.")
        if verbosity:
            self.stdout.write(f"{what} may try again ({count} lock-outs ended).")


def _person(name: str) -> tuple[Q, str]:
    person = identify.person_named(name)
    if person is None:
        raise CommandError(f"Nobody is called {name!r}.")
    return lockouts.of_person(person.pk), str(person)


def _address(text: str) -> tuple[Q, str]:
    try:
        first = ip_network(text, strict=False).network_address
    except ValueError:
        raise CommandError(f"{text!r} is not an IP address.") from None
    address = network_of(str(first))
    return lockouts.of_address(address), address
