"""Whether a query may see an older state of the database than the one committed last.

Inside a transaction it may: of what is committed after its first query, most kinds show
nothing. What it reads is true all the same, but "nothing new" is no news there.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

#: What PostgreSQL calls its level at which each query sees all that is committed by then.
READ_COMMITTED = "read committed"

#: Django's option that says the same.
_OPTION = "READ_COMMITTED"


def may_be_old(connection: BaseDatabaseWrapper) -> bool:
    """Whether what is asked here next may be answered from an older state.

    The driver is asked as well: a transaction may have been begun in SQL, past Django.
    (MySQL's cannot tell. There, such a one passes for none.)
    """
    if connection.in_atomic_block:
        return True
    driver: Any = connection.connection
    if driver is None:
        return False
    if not connection.autocommit:
        return True
    if connection.vendor == "postgresql":
        return bool(driver.info.transaction_status)
    if connection.vendor == "sqlite":
        return driver.in_transaction or _is_still_fetching(driver)
    return False


def can_tell(connection: BaseDatabaseWrapper) -> bool:
    """Whether the database, asked along with a query, may say that it sees the newest state.

    Only the database knows: an isolation level is also set by SQL, by role and by database.
    """
    level: Any = getattr(connection, "isolation_level", None)
    is_level_open = getattr(level, "name", _OPTION) == _OPTION
    return connection.vendor == "postgresql" and is_level_open and not is_by_hand(connection)


def is_by_hand(connection: BaseDatabaseWrapper) -> bool:
    """Whether a project ends its transactions itself (`set_autocommit(False)`).

    Then what hangs from `on_commit` hangs there past the commit, and nothing tells which
    changes of our own are committed.
    """
    if connection.connection is None or connection.autocommit:
        return False
    return not (connection.in_atomic_block and connection.commit_on_exit)


def _is_still_fetching(driver: Any) -> bool:
    """Whether rows are still to be fetched: in WAL mode, SQLite's state stays theirs till then.

    It refuses to define a function anew while any statement runs, which tells so in less
    than a microsecond. Other statements are then prepared again, for a look some 30 us.
    """
    try:
        driver.create_function("authkit_is_nothing_running", 0, _nothing)
    except sqlite3.OperationalError:
        return True
    return False


def _nothing() -> None:
    """Is called by nobody."""
