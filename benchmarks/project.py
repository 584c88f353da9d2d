"""A command line for each benchmark, and Django set up on a database of its own."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import databases

Report = dict[str, Any]


def command_line(description: str | None, *, rounds: int) -> argparse.ArgumentParser:
    """The options that all benchmarks have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--database", choices=[*databases.KINDS, "both"], default="sqlite")
    parser.add_argument(
        "--server",
        default=databases.DEFAULT_SERVER,
        help="a PostgreSQL server on which databases may be made (default: %(default)s)",
    )
    parser.add_argument(
        "--prepare",
        choices=["", "threshold", "everyone"],
        default="",
        help="PostgreSQL: with the option prepare_threshold; or for all that Django sends, with"
        " server_side_binding too",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--rounds", type=int, default=rounds, help="default: %(default)s")
    parser.add_argument(
        "--clock",
        choices=["wall", "processor"],
        default="wall",
        help="processor: what a busy machine spends on us (default: %(default)s)",
    )
    return parser


def run(
    module: str,
    options: argparse.Namespace,
    benchmark: Callable[[argparse.Namespace], Report],
    *,
    settings: str = "benchmarks.settings",
) -> None:
    """Run a benchmark on the database, or on each of them in a process of its own."""
    if options.database == "both":
        reports = {kind: _in_process_of_its_own(module, kind) for kind in databases.KINDS}
    else:
        prepared = options.prepare if options.database == "postgresql" else ""
        with _django_on(options.database, options.server, settings, prepared=prepared):
            reports = {options.database: benchmark(options) | {"versions": _versions()}}
    if options.json is not None:
        options.json.write_text(json.dumps(reports, indent=2) + "\n")


@contextmanager
def _django_on(kind: str, server: str, settings: str, *, prepared: str = "") -> Iterator[None]:
    with databases.thrown_away(kind, server) as url:
        os.environ["AUTHKIT_BENCHMARK_PREPARES"] = prepared
        os.environ["AUTHKIT_BENCHMARK_DATABASE"] = url
        os.environ["DJANGO_SETTINGS_MODULE"] = settings
        import django  # noqa: PLC0415 - it can only be set up once its database is known
        from django.core.management import call_command  # noqa: PLC0415
        from django.db import connections  # noqa: PLC0415

        django.setup()
        call_command("migrate", verbosity=0)
        try:
            yield
        finally:
            connections.close_all()


def _in_process_of_its_own(module: str, kind: str) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        # Of an option that is given twice, the second counts.
        command = [*sys.argv[1:], "--database", kind, "--json", str(file)]
        subprocess.run([sys.executable, "-m", module, *command], check=True)
        report: Report = json.loads(file.read_text())
        return report[kind]


def _versions() -> dict[str, str]:
    from importlib.metadata import version  # noqa: PLC0415

    names = ["django", "djangorestframework", "djangorestframework-simplejwt", "django-rest-knox"]
    names += ["cryptography", "pynacl"]
    return {"python": platform.python_version()} | {name: version(name) for name in names}
