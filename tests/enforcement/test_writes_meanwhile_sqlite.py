"""SQLite locks no rows: a write whose rows were looked at too long ago is refused by itself."""

from __future__ import annotations

import copy
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections

from authkit.testing import client_for
from tests.enforcement import urls_letters
from tests.enforcement.urls_meanwhile import WAYS
from tests.letters.models import Label, Parcel

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.vendor("sqlite")]


@pytest.fixture
def mail(world: Any, settings: Any) -> Any:
    """Her letter is due, and soon his will be."""
    settings.ROOT_URLCONF = "tests.enforcement.urls_meanwhile"
    urls_letters.register_conditions()
    world.give(world.alice, "allow write:* when own")
    urgent, _ = (Label.objects.create(name=name) for name in ("urgent", "done"))
    world.hers = Parcel.every.create(owner_key=world.alice.pk, text="due")
    world.his = Parcel.every.create(owner_key=world.bob.pk, text="")
    world.hers.labels.add(urgent)
    world.client = client_for(world.alice, "token")
    return world


@pytest.fixture
def in_files(mail: Any, tmp_path: Path, mode: str) -> Iterator[Any]:
    """Makes files that are copies of the database, and stands them in its place."""
    before = connections["default"]
    made: list[Any] = []

    def copied(number: int) -> sqlite3.Connection:
        path = tmp_path / f"{number}.sqlite3"
        there = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        before.ensure_connection()
        before.connection.backup(there)
        there.execute(f"PRAGMA journal_mode = {mode}")
        settings = {**copy.deepcopy(before.settings_dict), "NAME": path, "OPTIONS": {"timeout": 0}}
        connections["default"] = type(before)(settings, "default")
        made.extend([there, connections["default"]])
        return there

    yield copied
    connections["default"] = before
    for each in made:
        each.close()


class Other:
    """Moves his letter into the filter before the n-th statement."""

    def __init__(self, his: int, there: sqlite3.Connection, before: int) -> None:
        self._his, self._there, self._before = his, there, before
        self.statements = 0
        self.is_through = False

    def __call__(self, execute: Any, sql: str, *args: Any) -> Any:
        """Stand around a statement."""
        if self.statements == self._before:
            try:
                self._there.execute(
                    "UPDATE letters_letter SET text = 'due' WHERE id = ?", [self._his]
                )
                self._there.execute(
                    "INSERT INTO letters_letter_labels (letter_id, label_id)"
                    " SELECT ?, id FROM letters_label WHERE name = 'urgent'",
                    [self._his],
                )
                self.is_through = True
            except sqlite3.OperationalError:  # others read, and this is no WAL
                pass
        self.statements += 1
        return execute(sql, *args)


@pytest.mark.parametrize(
    ("mode", "way"), [*(("wal", way) for way in WAYS), ("delete", "rewrite"), ("delete", "remove")]
)
def test_what_came_into_the_filter_meanwhile_is_not_written(mail, in_files, way):
    statuses, passed = set(), 0
    for before in range(100):
        there = in_files(before)
        other = Other(mail.his.pk, there, before)
        with connection.execute_wrapper(other):
            answer = mail.client.post(f"/write/{way}/")
        statuses.add(answer.status_code)
        passed += other.is_through
        row = there.execute(
            "SELECT owner_key, text FROM letters_letter WHERE id = ?", [mail.his.pk]
        )
        assert row.fetchone()[0] == mail.bob.pk
        if other.statements <= before:
            break
    assert statuses <= {200, 403, 503}
    assert passed
