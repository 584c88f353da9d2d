"""The servers that the races run against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.demo.server import manage, scratch_database
from tests.races.site import Site
from tests.races.stage import Stage

_FOLDER = Path(__file__).parent
_SHARED_BY_MODULES = ["site", "site_without_grace"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests of one site follow each other: a server takes a second to start."""
    places = [place for place, item in enumerate(items) if item.path.is_relative_to(_FOLDER)]
    ordered = sorted((items[place] for place in places), key=_which_site)
    for place, item in zip(places, ordered, strict=True):
        items[place] = item


def _which_site(item: pytest.Item) -> int:
    """Its number; what has a site of its own, or none, keeps its place among the rest."""
    fixtures: list[str] = getattr(item, "fixturenames", [])
    asked = [number for number, name in enumerate(_SHARED_BY_MODULES) if name in fixtures]
    return asked[0] if asked else len(_SHARED_BY_MODULES)


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[str]:
    """A database with authkit's tables, which all servers of this folder use."""
    scratch = scratch_database(tmp_path_factory.mktemp("races"))
    with django_db_blocker.unblock():
        url = scratch.__enter__()
    try:
        settings = {"DJANGO_SETTINGS_MODULE": "tests.races.settings"}
        migrated = manage("migrate", "--verbosity=0", database_url=url, **settings)
        assert migrated.returncode == 0, migrated.stderr
        yield url
    finally:
        with django_db_blocker.unblock():
            scratch.__exit__(None, None, None)


@pytest.fixture(scope="session")
def stage(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Where the servers take turns."""
    found = Stage(database_url, tmp_path_factory)
    yield found
    found.clear()


@pytest.fixture
def site(stage: Stage) -> Iterator[Site]:
    """Every request looks for changes; a refresh may be repeated for a minute."""
    found = stage.site(MAX_STALENESS=0, REFRESH_GRACE=60)
    yield found
    found.hang_up()


@pytest.fixture
def site_without_grace(stage: Stage) -> Iterator[Site]:
    """Changes are looked for once a second; a refresh must not be repeated."""
    found = stage.site(MAX_STALENESS=1, REFRESH_GRACE=0)
    yield found
    found.hang_up()
