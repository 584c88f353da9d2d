"""`manage.py demo`: everything from an empty database to a page in the browser."""

import argparse
import contextlib
import signal
import sys
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.core.servers.basehttp import WSGIServer, get_internal_wsgi_application, run
from django.db import DatabaseError, transaction

from demo_project.showcase import articles, demo_id, people

HOST = "127.0.0.1"
HIGHEST_PORT = 65535


class Server(WSGIServer):
    """Django's development server, with room for many who knock at once."""

    request_queue_size = 128


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) <= HIGHEST_PORT:
        return int(text)
    raise argparse.ArgumentTypeError(
        f"{text!r} is not a port (0 to {HIGHEST_PORT}; 0: any free one)"
    )


class Command(BaseCommand):
    """Prepare the demo and serve it until Ctrl-C."""

    help = (
        "Migrates the database, loads the demo's people and articles (again and again does no "
        "harm), says whom to sign in as, and serves the demo on this machine only."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """A port, or no server at all."""
        parser.add_argument("--port", type=_port, default=8000, help="default: 8000; 0: any")
        parser.add_argument("--no-serve", action="store_true", help="prepare only")

    def handle(self, *, port: int, no_serve: bool, **options: Any) -> None:
        """Bind the port first: that it is taken is told before anything is done."""
        if not settings.DEBUG:
            raise CommandError(
                "DEBUG is off. The password of the demo's people is known to everyone, so they are"
                " loaded with DEBUG on only."
            )
        if no_serve:
            self._prepare()
            self._introduce("")
            return
        signal.signal(signal.SIGTERM, _stop)
        try:
            with contextlib.ExitStack() as beside:
                self._beside = beside
                self._serve(port)
        except KeyboardInterrupt:
            self.stdout.write("")
        except OSError as error:
            raise CommandError(
                f"Port {port} cannot be used: {error.strerror}. Try another: --port 8123"
            ) from error

    def _serve(self, port: int) -> None:
        run(
            HOST,
            port,
            StaticFilesHandler(get_internal_wsgi_application()),
            threading=True,
            server_cls=Server,
            on_bind=self._when_bound,
        )

    def _when_bound(self, port: int | str) -> None:
        demo_id_port, answers = self._beside.enter_context(demo_id.serving(int(port)))
        self._prepare()
        demo_id.load(int(port), demo_id_port)
        if not answers():
            self._say("Demo ID did not start: nobody can sign in with it.")
        self._introduce(f"http://{HOST}:{port}/")

    def _prepare(self) -> None:
        self._say("Preparing the demo ...")
        try:
            call_command("migrate", verbosity=0, interactive=False)
            with transaction.atomic():
                articles.load(people.load())
        except DatabaseError as error:
            raise CommandError(
                f"The database does not do what it should: {_first_line(error)}"
            ) from error

    def _introduce(self, address: str) -> None:
        self._say("")
        if address:
            self._say(f"  {self.style.SUCCESS(address)}")
            self._say("")
        self._say(f"  {'sign in as':<12}{'role':<16}may")
        for person in people.PEOPLE:
            self._say(f"  {person.username:<12}{person.described_role:<16}{person.may}")
        self._say("")
        self._say(f"  The password of each: {people.PASSWORD}")
        if address:
            self._say("  Stop with Ctrl-C.")
        self._say("")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _stop(signal_number: int, frame: object) -> None:
    sys.exit(0)
