"""``manage.py authkit prune``."""

from __future__ import annotations

import hashlib
import io
import threading
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authkit import audit, sessions, tokens
from authkit.accounts import link_keys, names
from authkit.models import (
    AuditEvent,
    BearerToken,
    Change,
    Invitation,
    LinkKey,
    PausedSignIn,
    SignInName,
    SpentState,
    UserSession,
)
from authkit.testing import client_for
from tests.events import date_events, forget_events
from tests.people import make_person

pytestmark = pytest.mark.django_db

YEARS_AGO = timedelta(days=2000)


def prune(*arguments: str, **options: Any) -> dict[str, int]:
    """What it says that it has deleted."""
    out = io.StringIO()
    call_command("authkit", "prune", *arguments, stdout=out, **options)
    rows = [line.rsplit(None, 1) for line in out.getvalue().splitlines()[1:]]
    return {name: int(count.replace(",", "")) for name, count in rows}


def fill(number: int, *, at: datetime) -> None:
    """So many old rows of everything."""
    person = make_person(f"p{at:%s}{number}")
    for _ in range(number):
        session = sessions.start(person, "token", now=at)
        tokens.issue_for(session, now=at)
        tokens.issue_personal(person, name="old", expires_at=at, now=at)
    Change.objects.bulk_create(
        Change(kind="session_ended", subject="x", expires_at=int(at.timestamp()))
        for _ in range(number)
    )
    for count in range(number):
        link_keys.issue("reset_password", person, "x@example.com", now=at)
        digest = hashlib.sha256(f"{at}{count}".encode()).hexdigest()
        Invitation.objects.create(digest=digest, created_at=at, expires_at=at)
        names.reserve("username", f"reserved{at}{count}")
    SignInName.objects.filter(user=None).update(created_at=at)
    forget_events()
    for _ in range(number):
        audit.record("old.event")
        SpentState.objects.create(digest=uuid4().hex, expires_at=at)
        PausedSignIn.objects.create(digest=uuid4().hex, expires_at=at)
    date_events(at)


def left() -> list[int]:
    return [
        *(model.objects.count() for model in (BearerToken, UserSession, Change)),
        LinkKey.objects.count() + Invitation.objects.count(),
    ]


def test_what_is_long_over_goes(db):
    fill(3, at=timezone.now() - YEARS_AGO)
    said = prune()
    assert said == {
        "bearer tokens": 6,
        "sessions": 3,
        "changes": 3,
        "keys of links": 3,
        "invitations": 3,
        "sign-in names": 3,
        "lock-outs": 0,
        "spent states": 3,
        "paused sign-ins": 3,
        "audit events": 3,
    }
    assert left() == [0, 0, 0, 0]
    assert list(AuditEvent.objects.values_list("kind", flat=True)) == ["audit.pruned"]


def test_what_may_still_be_needed_stays(person):
    clients = [client_for(person, kind) for kind in ("session", "token", "jwt")]
    now = timezone.now()
    tokens.issue_personal(person, name="for ever", now=now)
    ended = sessions.start(person, "jwt", now=now)
    sessions.end([ended.pk], reason="signed_out", now=now)
    before, events = left(), AuditEvent.objects.count()
    assert set(prune().values()) == {0}
    assert (left(), AuditEvent.objects.count()) == (before, events)
    assert [client.get("/auth/me/").status_code for client in clients] == [200, 200, 200]


def test_a_token_that_never_expires_goes_when_it_was_revoked_long_ago(person):
    long_ago = timezone.now() - YEARS_AGO
    token = tokens.issue_personal(person, name="old", now=long_ago)
    assert prune()["bearer tokens"] == 0
    tokens.revoke(token.id, now=long_ago)
    assert prune()["bearer tokens"] == 1


def test_a_dry_run_counts_and_deletes_nothing(db):
    fill(2, at=timezone.now() - YEARS_AGO)
    before = left()
    said = prune("--dry-run")
    assert said == {
        "bearer tokens": 4,
        "sessions": 2,
        "changes": 2,
        "keys of links": 2,
        "invitations": 2,
        "sign-in names": 2,
        "lock-outs": 0,
        "spent states": 2,
        "paused sign-ins": 2,
        "audit events": 2,
    }
    assert left() == before
    assert set(AuditEvent.objects.values_list("kind", flat=True)) == {"old.event"}


def test_a_second_time_there_is_nothing_to_do(db):
    fill(2, at=timezone.now() - YEARS_AGO)
    prune()
    assert set(prune().values()) == {0}
    assert AuditEvent.objects.count() == 1


@pytest.mark.parametrize("batch", [1, 2, 3, 7])
def test_it_deletes_batch_by_batch(batch):
    fill(7, at=timezone.now() - YEARS_AGO)
    with CaptureQueriesContext(connection) as queries:
        assert prune("--batch", str(batch))["audit events"] == 7
    deletes = [q for q in queries if q["sql"].startswith('DELETE FROM "authkit_auditevent"')]
    if connection.vendor != "mysql":
        assert len(deletes) == -(-7 // batch)
    assert left() == [0, 0, 0, 0]


def test_with_verbosity_0_it_says_nothing(capsys):
    fill(1, at=timezone.now() - YEARS_AGO)
    call_command("authkit", "prune", verbosity=0)
    assert capsys.readouterr() == ("", "")


def test_a_long_run_tells_how_far_it_has_come(monkeypatch):
    fill(2, at=timezone.now() - YEARS_AGO)
    monkeypatch.setattr("authkit.management.subcommands.prune._SECONDS_BETWEEN_REPORTS", 0.0)
    err = io.StringIO()
    prune("--batch", "1", stderr=err)
    assert "1 rows deleted so far" in err.getvalue()


def test_a_database_that_fails_is_an_error_and_what_is_deleted_is_counted(monkeypatch):
    fill(2, at=timezone.now() - YEARS_AGO)
    delete: Any = QuerySet.delete

    def fails_for_changes(rows: QuerySet[Any]) -> Any:
        if rows.model is Change:
            raise OperationalError("disk full")
        return delete(rows)

    monkeypatch.setattr(QuerySet, "delete", fails_for_changes)
    out = io.StringIO()
    with pytest.raises(CommandError, match="not all is pruned: disk full"):
        call_command("authkit", "prune", stdout=out)
    assert "sessions       2" in out.getvalue()


@pytest.mark.slow
@pytest.mark.vendor("postgresql", "mysql")
@pytest.mark.django_db(transaction=True)
def test_four_at_once_share_the_work(db):
    fill(60, at=timezone.now() - YEARS_AGO)
    said: list[dict[str, int]] = []

    def work() -> None:
        try:
            said.append(prune("--batch", "5"))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert left() == [0, 0, 0, 0]
    assert len(said) == 4
    assert sum(each["sessions"] for each in said) == 60
    assert sum(each["changes"] for each in said) == 60
