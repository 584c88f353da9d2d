"""Whether people who see badly, or use no mouse, can use a page: asked of axe-core."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tests.npm import installed

if TYPE_CHECKING:
    import pytest
    from playwright.sync_api import Page

_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_WIDTHS = (1280, 390)
_GRAVE = {"serious", "critical"}
#: Of Django's own list pages: their search field is labelled by an icon.
_STOCK = ["#toolbar"]


def script(config: pytest.Config) -> str:
    """Its source."""
    folder = installed(config, "axe", Path(__file__).parent / "package.json")
    return (folder / "node_modules/axe-core/axe.min.js").read_text()


def problems_of(page: Page, source: str) -> list[str]:
    """What is wrong with the page that is open: light and dark, wide and narrow."""
    found = []
    for scheme in _SCHEMES:
        for width in _WIDTHS:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            where = f"{page.url} {scheme} {width}"
            found += [f"{where}: {text}" for text in _violations(page, source)]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append(f"{where}: it scrolls sideways")
    return found


def _violations(page: Page, source: str) -> list[str]:
    if not page.evaluate("typeof axe == 'object'"):
        page.evaluate(source)
    # Colours that are on their way from light to dark are neither.
    page.evaluate("document.getAnimations().forEach(each => each.finish())")
    told: Any = page.evaluate(
        "stock => axe.run({exclude: stock.map(each => [each])}).then(all => all.violations)",
        [each for each in _STOCK if page.locator(each).count()],
    )
    return [
        f"{each['id']}: {node['html'][:200]}"
        for each in told
        if each["impact"] in _GRAVE
        for node in each["nodes"]
    ]
