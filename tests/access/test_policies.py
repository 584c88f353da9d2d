"""When a process decides by a newer policy: at once, or while it compiles many rules, soon."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from django.db.backends.signals import connection_created

from authkit import changes
from authkit.access import aside, can, decide, loading, policies
from authkit.access.loading import Policy
from authkit.models import Rule
from tests.access.some_roles import give, role
from tests.people import make_person, make_superuser

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "api.person:list"
PATIENCE = 30


class Workshop:
    """The thread that compiles, which waits until it is let go on."""

    def __init__(self) -> None:
        self._load = loading.load
        self.may_go_on = threading.Event()
        self.loaded: list[Policy] = []

    def load(self, alias: str, urlconf: str) -> Policy:
        if threading.current_thread().name == "authkit-policy":
            assert self.may_go_on.wait(PATIENCE)
        self.loaded.append(self._load(alias, urlconf))
        return self.loaded[-1]

    def finish(self) -> None:
        self.may_go_on.set()
        for thread in threading.enumerate():
            if thread.name == "authkit-policy":
                thread.join(PATIENCE)
                assert not thread.is_alive()


@pytest.fixture
def workshop(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    """One rule counts as very many here, and every request looks for changes."""
    settings.ROOT_URLCONF = "tests.access.urls"
    settings.AUTHKIT = {"MAX_STALENESS": 0}
    monkeypatch.setattr(policies, "MANY_RULES", 0)
    monkeypatch.setattr(aside, "_REQUESTS_TAKE", 0.0)
    made = Workshop()
    monkeypatch.setattr(loading, "load", made.load)
    changes._feed.forget()
    policies.forget()
    yield made
    made.finish()
    policies.forget()
    changes._feed.forget()


def test_many_rules_are_compiled_beside_requests_that_the_ones_before_answer(workshop: Workshop):
    ada, clerk = make_person("ada"), role("clerk", f"allow {LIST}")
    give(ada, clerk)
    assert can(ada, LIST)
    Rule.objects.filter(role=clerk).update(effect="deny")
    before = len(workshop.loaded)
    assert can(ada, LIST)
    assert can(ada, LIST)
    assert len(workshop.loaded) == before
    workshop.finish()
    assert len(workshop.loaded) == before + 1
    assert decide(ada, LIST).reason == "denied_by_rule"


def test_who_compiles_beside_leaves_no_connection_behind(workshop: Workshop):
    """Not to a database in memory either, which Django keeps open and newer Pythons warn of."""
    opened: list[Any] = []

    def note(connection: Any, **_: object) -> None:
        opened.append(connection)

    ada, clerk = make_person("ada"), role("clerk", f"allow {LIST}")
    give(ada, clerk)
    assert can(ada, LIST)
    Rule.objects.filter(role=clerk).update(effect="deny")
    connection_created.connect(note)
    try:
        assert can(ada, LIST)
        workshop.finish()
    finally:
        connection_created.disconnect(note)
    assert not can(ada, LIST)
    assert len(opened) == 1
    assert opened[0].connection is None


def test_who_has_which_role_is_known_at_once_all_the_same(workshop: Workshop):
    ada, clerk = make_person("ada"), role("clerk", f"allow {LIST}")
    assert not can(ada, LIST)
    role("other", f"allow {LIST}")  # a policy is being compiled meanwhile
    held = give(ada, clerk)
    assert can(ada, LIST)
    held.delete()
    assert not can(ada, LIST)


def test_few_rules_are_compiled_at_once(workshop: Workshop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(policies, "MANY_RULES", 1_000)
    ada, clerk = make_person("ada"), role("clerk", f"allow {LIST}")
    give(ada, clerk)
    assert can(ada, LIST)
    Rule.objects.filter(role=clerk).update(effect="deny")
    assert not can(ada, LIST)


def test_patience_has_an_end(workshop: Workshop, monkeypatch: pytest.MonkeyPatch):
    ada, clerk = make_person("ada"), role("clerk", f"allow {LIST}")
    give(ada, clerk)
    assert can(ada, LIST)
    Rule.objects.filter(role=clerk).update(effect="deny")
    assert can(ada, LIST)
    monkeypatch.setattr(policies, "PATIENCE", 0.0)
    assert not can(ada, LIST)


def test_one_that_is_late_does_not_take_the_place_of_a_newer_one(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
):
    ada, clerk = make_person("ada"), role("clerk", f"allow {LIST}")
    give(ada, clerk)
    assert can(ada, LIST)
    Rule.objects.filter(role=clerk).update(effect="deny")
    assert can(ada, LIST)
    monkeypatch.setattr(policies, "PATIENCE", 0.0)
    assert not can(ada, LIST)
    newest = policies._shelf.policy
    workshop.finish()
    assert policies._shelf.policy is newest


def test_rules_that_cannot_be_compiled_refuse_everybody(workshop: Workshop, caplog: Any):
    ada, root, clerk = make_person("ada"), make_superuser(), role("clerk", f"allow {LIST}")
    give(ada, clerk)
    assert can(ada, LIST)
    Rule.objects.filter(role=clerk).update(endpoints="not a pattern!")
    assert can(ada, LIST)
    with caplog.at_level(logging.CRITICAL, logger="authkit"):
        workshop.finish()
    assert decide(ada, LIST).reason == "rules_unavailable"
    assert decide(root, LIST).reason == "rules_unavailable"
    Rule.objects.filter(role=clerk).update(endpoints="api.person")
    assert can(ada, LIST)


def test_a_process_that_is_forked_meanwhile_compiles_for_itself(workshop: Workshop):
    ada = make_person("ada")
    role("clerk", f"allow {LIST}")
    assert not can(ada, LIST)
    shelf = policies._shelf
    shelf._is_compiling.set()
    with shelf._lock, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, in newer Pythons
        child = os.fork()
        if child == 0:
            is_free = shelf._lock.acquire(timeout=5) and not shelf._is_compiling.is_set()
            os._exit(0 if is_free and shelf.policy is not None else 1)
    shelf._is_compiling.clear()
    deadline = time.monotonic() + PATIENCE
    ended, status = os.waitpid(child, os.WNOHANG)
    while not ended and time.monotonic() < deadline:
        time.sleep(0.01)
        ended, status = os.waitpid(child, os.WNOHANG)
    assert ended
    assert os.waitstatus_to_exitcode(status) == 0


def test_the_interpreter_is_left_as_it_was(workshop: Workshop):
    interval, is_collecting, frozen = sys.getswitchinterval(), gc.isenabled(), gc.get_freeze_count()
    ada, clerk = make_person("ada"), role("clerk", f"allow {LIST}")
    assert not can(ada, LIST)
    Rule.objects.filter(role=clerk).update(endpoints="not a pattern!")
    assert not can(ada, LIST)
    workshop.finish()
    assert gc.isenabled() == is_collecting
    assert gc.get_freeze_count() == frozen
    assert sys.getswitchinterval() == interval
