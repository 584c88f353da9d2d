"""Looking up an opaque token among a thousand and among a million of them."""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from benchmarks import project
from benchmarks.verdicts import Verdict, show

if TYPE_CHECKING:
    from django.db.models import Model

    from benchmarks.wsgi import Environ

_REAL = 1000
_BATCH = 20

#: SQL that makes random texts and ids as authkit stores them.
_RANDOM = {
    "sqlite": {
        "id": "lower(hex(randomblob(8)))",
        "digest": "lower(hex(randomblob(32)))",
        "uuid": "lower(hex(randomblob(16)))",
    },
    "postgresql": {
        "id": "left(md5(random()::text || filler.i), 16)",
        "digest": "md5(random()::text || filler.i) || md5(random()::text)",
        "uuid": "gen_random_uuid()",
    },
}


def benchmark(options: argparse.Namespace) -> project.Report:
    """Measure at each size, print the table, and return the figures."""
    from benchmarks.people import make_person  # noqa: PLC0415 - Django is set up by now

    person = make_person()
    texts = _issue(person, _REAL)
    levels: dict[int, dict[str, float]] = {}
    print(f"\n{options.database}, {options.rounds} rounds of {_BATCH}; microseconds")
    print(f"{'tokens':>9} {'resolve':>8} {'middle half':>18} {'request':>8} {'middle half':>18}")
    for size in _sizes(options.most):
        _fill_up_to(size, not_of=person)
        _come_to_rest(texts)
        levels[size] = _measure(texts, size, options)
    sizes = list(levels)
    verdicts = [
        Verdict(f"{what} with {sizes[-1]:,} tokens / with {sizes[0]:,}", ratio, 1.15)
        for what in ("resolve", "request")
        for ratio in [levels[sizes[-1]][what] / levels[sizes[0]][what]]
    ]
    show(verdicts)
    return {"levels": levels, "verdicts": [verdict.as_dict() for verdict in verdicts]}


def _sizes(most: int) -> Iterator[int]:
    size = _REAL
    while size <= most:
        yield size
        size *= 10


def _issue(person: Any, count: int) -> list[str]:
    """So many real tokens, each of a sign-in of its own."""
    from django.db import transaction  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from authkit import sessions, tokens  # noqa: PLC0415

    now = timezone.now()
    with transaction.atomic():
        started = [sessions.start(person, "token", now=now) for _ in range(count)]
        return [tokens.issue_for(session, now=now).text for session in started]


def _fill_up_to(size: int, *, not_of: Any) -> None:
    """Add tokens of somebody else's sign-ins that look like the real ones, made in the database."""
    from django.db import connection, transaction  # noqa: PLC0415

    from authkit.models import BearerToken, UserSession  # noqa: PLC0415

    missing = size - BearerToken.objects.count()
    if missing <= 0:
        return
    randoms = _RANDOM[connection.vendor]
    real = BearerToken.objects.select_related("session").exclude(session=None)
    pattern = real.exclude(user=not_of)[0]
    token = {"id": randoms["id"], "digest": randoms["digest"], "session_id": "filler.id"}
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA cache_size = -500000")  # for now; see `_come_to_rest`
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")  # no constraints
        cursor.execute(
            "CREATE TEMPORARY TABLE filler AS WITH RECURSIVE numbers(i) AS "
            "(SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < %s) "
            f"SELECT i, {randoms['uuid']} AS id FROM numbers",
            [missing],
        )
        for row, own in ((pattern.session, {"id": "filler.id"}), (pattern, token)):
            columns, values, given = _copy_of(row, own)
            table = row._meta.db_table
            cursor.execute(f"INSERT INTO {table} ({columns}) SELECT {values} FROM filler", given)
        cursor.execute("DROP TABLE filler")
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {UserSession._meta.db_table}")
        cursor.execute(f"ANALYZE {BearerToken._meta.db_table}")


def _come_to_rest(texts: Sequence[str]) -> None:
    """Wait until what was just written is on the disk, and look everything up once.

    A process that reads while a gigabyte is being written behind it measures that.
    """
    from django.db import connection  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from authkit import tokens  # noqa: PLC0415

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("CHECKPOINT")
    connection.close()  # of SQLite, what it keeps in memory is back to its default
    os.sync()
    for text in texts:
        tokens.resolve(text, now=timezone.now())


def _copy_of(row: Model, own: dict[str, str]) -> tuple[str, str, list[Any]]:
    """Columns, SQL values and parameters that repeat a row, but for what is its `own`."""
    from django.db import connection  # noqa: PLC0415

    fields = row._meta.concrete_fields
    values = [own.get(field.column, "%s") for field in fields]
    given = [
        field.get_db_prep_save(getattr(row, field.attname), connection)
        for field in fields
        if field.column not in own
    ]
    return ", ".join(field.column for field in fields), ", ".join(values), given


def _measure(texts: Sequence[str], size: int, options: argparse.Namespace) -> dict[str, float]:
    from django.utils import timezone  # noqa: PLC0415

    from authkit import authentication, tokens  # noqa: PLC0415
    from authkit.models import UserSession  # noqa: PLC0415
    from benchmarks.clocks import CLOCKS  # noqa: PLC0415
    from benchmarks.rounds import Contender, Figure, measure  # noqa: PLC0415
    from benchmarks.views import CLASSES  # noqa: PLC0415
    from benchmarks.wsgi import Answer, Application, environ  # noqa: PLC0415

    # The use of a sign-in is noted once a minute; here the look-up alone is measured.
    UserSession.objects.filter(user__username="ada").update(last_seen_at=timezone.now())
    chosen = random.Random(size)
    request = environ(**{CLASSES: (authentication.TokenAuthentication,)})

    def prepare() -> Environ:
        return {**request, "HTTP_AUTHORIZATION": f"Bearer {chosen.choice(texts)}"}

    def resolve(request: Environ) -> Answer:
        tokens.resolve(request["HTTP_AUTHORIZATION"][7:], now=timezone.now())
        return Answer("", b"")

    application = Application("bare")
    contenders = [
        Contender("resolve", resolve, prepare),
        Contender("request", application, prepare),
    ]
    clock = CLOCKS[options.clock]()
    times = measure(contenders, rounds=options.rounds, batch=_BATCH, warm_up=3, clock=clock)
    figures = {name: Figure.of(found) for name, found in times.items()}
    print(f"{size:9,} {figures['resolve']} {figures['request']}")
    return {name: round(figure.middle, 1) for name, figure in figures.items()}


if __name__ == "__main__":
    _parser = project.command_line(__doc__, rounds=30)
    _parser.add_argument("--most", type=int, default=1_000_000, help="default: %(default)s")
    _began = time.monotonic()
    project.run("benchmarks.scale", _parser.parse_args(), benchmark)
    print(f"\n{time.monotonic() - _began:.0f} s")
