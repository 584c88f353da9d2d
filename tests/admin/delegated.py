"""What the tests of a delegated administrator share; the fixtures are in `access_fixtures`."""

from __future__ import annotations

from typing import Any

from authkit.models import AuditEvent


def fresh(row: Any) -> Any:
    return type(row)._default_manager.get(pk=row.pk)


def management(prefix: str, initial: int = 0, total: int | None = None) -> dict[str, Any]:
    return {
        f"{prefix}-TOTAL_FORMS": initial if total is None else total,
        f"{prefix}-INITIAL_FORMS": initial,
    }


def assert_refused(response: Any, status: int = 200) -> None:
    """A form with an error, or a page that says no; in both cases in words."""
    assert response.status_code == status
    assert "errornote" in response.text
    assert "hold" in response.text
    assert AuditEvent.objects.filter(kind="access.refused").exists()
