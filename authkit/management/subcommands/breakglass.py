"""``manage.py authkit breakglass USER``: somebody gets in again."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from django.db import transaction

from authkit import audit
from authkit.access import acting
from authkit.accounts import retired
from authkit.accounts.identify import person_named
from authkit.management.subcommands.base import Subcommand
from authkit.models.prepared import has_field

_FLAGS = ("is_active", "is_staff", "is_superuser")


class BreakGlass(Subcommand):
    """For the day on which nobody gets in: it asks no rule, and whoever runs it no guard."""

    name = "breakglass"
    help = (
        "Makes somebody who has an account an active superuser, when nobody else can mend access"
        " any more. It is written to the audit."
    )

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        """Who."""
        parser.add_argument("user", metavar="USER", help="user name or e-mail address")

    def run(self, *, user: str, **options: Any) -> None:
        """Set the flags, and say what was done."""
        model: Any = get_user_model()
        names = [name for name in _FLAGS if has_field(model, name)]
        if "is_superuser" not in names:
            raise CommandError("This project's user model knows no superusers.")
        person: Any = person_named(user)
        if person is None:
            raise CommandError(f"Nobody, or more than one, has the name or address {user!r}.")
        missing = [name for name in names if not getattr(person, name)]
        with transaction.atomic(), acting.as_system():
            for name in missing:
                setattr(person, name, True)
            person.save(update_fields=names)
            audit.record(
                "access.glass_broken",
                subject=person.pk,
                data={"name": str(person), "set": missing},
            )
        self.stdout.write(f"{person} is an active superuser.")
        self.stdout.write(f"Changed: {', '.join(missing) or 'nothing'}. Written to the audit.")
        if not retired.has_working_password(person):
            self.say("There is no password that works: `manage.py changepassword` sets one.")
