"""A site that speaks the pseudo-language."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.locale import pseudo


@pytest.fixture(scope="session")
def _catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("locale")
    pseudo.compile_into(folder)
    return folder


@pytest.fixture
def bracketed(settings: Any, _catalogue: Path) -> None:
    """Every text that goes through gettext stands in ⟦brackets⟧."""
    settings.LOCALE_PATHS = [str(_catalogue)]
    settings.LANGUAGES = [(pseudo.CODE, "Bracketed")]
    settings.LANGUAGE_CODE = pseudo.CODE
