"""What the tests of guards share."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from authkit.access.refusals import ExceedsOwnAccess, GuardRefusal


def refused(change: Any, refusal: type[GuardRefusal] = ExceedsOwnAccess) -> None:
    """The change is refused, and nothing of it is left."""
    with pytest.raises(refusal), transaction.atomic():
        change()
