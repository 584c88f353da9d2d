"""``manage.py serve PORT``, with Demo ID's settings."""

import argparse
import os
import sys
import threading
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.core.servers.basehttp import get_internal_wsgi_application, run

from demo_project.demo_id import people


class Command(BaseCommand):
    """Prepare Demo ID and serve it, for as long as its standard input is open."""

    help = (
        "Makes Demo ID's tables, loads its people, and serves it on this machine only. It"
        " ends when its standard input does, so that it never outlives whoever started it."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Where, and where to."""
        parser.add_argument("port", type=int)
        parser.add_argument("--redirect-uri", action="append", default=[])

    def handle(self, *, port: int, redirect_uri: list[str], **options: Any) -> None:
        """Serve."""
        call_command("migrate", verbosity=0, interactive=False, run_syncdb=True)
        people.load(redirect_uri)
        threading.Thread(target=_wait_for_the_end, daemon=True).start()
        self.stdout.write(f"Listening at: http://127.0.0.1:{port}/")
        self.stdout.flush()
        run("127.0.0.1", port, get_internal_wsgi_application(), threading=True)


def _wait_for_the_end() -> None:
    sys.stdin.read()
    os._exit(0)
