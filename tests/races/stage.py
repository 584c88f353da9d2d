"""One server at a time: each of its threads keeps a connection, and a database has only so many."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from tests.races.site import Site, serving

if TYPE_CHECKING:
    import pytest


class Stage:
    """Where the servers of a test run take turns, all of them on one database."""

    def __init__(self, database_url: str, folders: pytest.TempPathFactory) -> None:
        self._database_url = database_url
        self._folders = folders
        self._settings: dict[str, Any] | None = None
        self._site: Site
        self._running = ExitStack()

    def site(self, **authkit: Any) -> Site:
        """A server with these settings of authkit: the one that runs if it has the same."""
        if authkit != self._settings:
            self.clear()
            folder = self._folders.mktemp("site")
            self._site = self._running.enter_context(serving(self._database_url, folder, **authkit))
            self._settings = authkit
        return self._site

    def clear(self) -> None:
        """Stop the server that runs."""
        self._settings = None
        self._running.close()
