"""Fixtures and rules of the test run."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from django.conf import settings
from django.db import connection
from playwright.sync_api import sync_playwright

from tests import people, restoring, url_caches

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser
    from playwright.sync_api import Browser, Page

hypothesis.settings.register_profile("usual", deadline=None, max_examples=50)
hypothesis.settings.register_profile(
    "ci", hypothesis.settings.get_profile("usual"), derandomize=True, print_blob=True
)
hypothesis.settings.register_profile("long", deadline=None, max_examples=5_000)


def _profile() -> str:
    if os.environ.get("AUTHKIT_LONG_RUN") == "1":
        return "long"
    return "ci" if os.environ.get("CI") else "usual"


hypothesis.settings.load_profile(_profile())


# What does not concern this run is left out, not skipped: AUTHKIT_REQUIRE_ALL forgives no skip.


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what says nothing about this user model or this database."""
    concerned = [item for item in items if _concerns_this_run(item)]
    left_out = [item for item in items if not _concerns_this_run(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = concerned


def _concerns_this_run(item: pytest.Item) -> bool:
    vendor = item.get_closest_marker("vendor")
    if vendor is not None and connection.vendor not in vendor.args:
        return False
    if os.environ.get("AUTHKIT_TEST_DATABASE_ONLY") == "1" and not _asks_a_database(item):
        return False
    wanted = item.get_closest_marker("user_model")
    if wanted is not None:
        return settings.USER_MODEL in wanted.args
    return settings.USER_MODEL == "default" or _concerns_the_user_model(item)


def _concerns_the_user_model(item: pytest.Item) -> bool:
    """Who asks no database meets nobody's account, unless a mark says otherwise."""
    if item.get_closest_marker("default_user_only"):
        return False
    return _asks_a_database(item) or item.get_closest_marker("any_user_model") is not None


def _asks_a_database(item: pytest.Item) -> bool:
    """Whether a test asks the database of this run, itself or through a server of its own."""
    if item.get_closest_marker("django_db"):
        return True
    fixtures: list[str] = getattr(item, "fixturenames", [])
    return not {"db", "transactional_db", "live_server", "database_url"}.isdisjoint(fixtures)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With AUTHKIT_REQUIRE_ALL=1 a run that skipped a test has failed."""
    if _skipped(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(config: pytest.Config, terminalreporter: Any) -> None:
    """Name what was skipped where nothing may be."""
    skipped = _skipped(config)
    if skipped:
        terminalreporter.section("skipped, with AUTHKIT_REQUIRE_ALL=1", red=True)
        for report in skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            terminalreporter.line(f"{report.nodeid}: {reason}")


def _skipped(config: pytest.Config) -> list[Any]:
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("AUTHKIT_REQUIRE_ALL") != "1" or reporter is None:
        return []
    return list(reporter.stats.get("skipped", []))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The database of pytest-django, put back faster; see `tests.restoring`."""
    with pytest.MonkeyPatch.context() as patch:
        with django_db_blocker.unblock():
            restoring.restore_after_each_test(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def _nothing_by_chance() -> Iterator[None]:
    """Who cleans up on the way is drawn by lot. Here nobody is; tests of it draw themselves.

    A statement more in one run of fifty is no promise broken, and nobody could repeat it.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in ("authkit.changes", "authkit.accounts.tally"):
            patch.setattr(f"{module}._CLEAN_UP_ONCE_IN", math.inf)
        yield


@pytest.fixture(scope="session", autouse=True)
def _url_caches() -> None:
    """What is read of a URLconf is read once; see `tests.url_caches`."""
    url_caches.keep()


@pytest.fixture
def make_person(db: None) -> Callable[..., AbstractUser]:
    """``make_person("ada")``; see `tests.people.make_person`."""
    return people.make_person


@pytest.fixture
def person(db: None) -> AbstractUser:
    """Ada. Her password is `tests.people.PASSWORD`."""
    return people.make_person("ada")


@pytest.fixture
def superuser(db: None) -> AbstractUser:
    """Somebody who may do everything. The password is `tests.people.PASSWORD`."""
    return people.make_superuser()


@pytest.fixture
def no_look_at_the_feed_is_due(settings: Any) -> None:
    """Once in MAX_STALENESS, a second, whoever asks reads on in the change feed as well."""
    settings.AUTHKIT = {**settings.AUTHKIT, "MAX_STALENESS": 60}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for the tests of a module; mark them `browser`.

    Playwright leaves an event loop running in the thread, and Django then refuses to talk
    to the database there, unless it is told that this is meant.
    """
    names = ("chromium", "chromium-browser", "google-chrome")
    executable = next(filter(None, map(shutil.which, names)), None)
    if executable is None:
        pytest.skip("no Chromium on the PATH")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        chromium = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a browser profile of its own."""
    context = browser.new_context()
    yield context.new_page()
    context.close()
