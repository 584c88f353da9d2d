"""What a part of a person's page is made of.

A part is shown where the site has the pages of what is in it, and to whoever may view
those. Each costs the same however much there is. `parts` has authkit's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import Model
from django.http import HttpRequest
from django.utils.timezone import localtime

from authkit.admin.base import Text, list_of, url_of
from authkit.admin.personal import Place


@dataclass(frozen=True, slots=True)
class View:
    """Whose page it is, and who looks at it, on which site."""

    site: admin.AdminSite
    request: HttpRequest
    person: Any

    def may_look(self, model: type[Model]) -> bool:
        """Whether the site has pages of these rows, and the visitor may view them."""
        if not self.site.is_registered(model):
            return False
        return bool(self.site.get_model_admin(model).has_view_permission(self.request))

    def row(self, row: Model, text: Text) -> Place:
        """The link to the page of a row."""
        return Place(text, url_of(self.site, type(row), "change", quote(row.pk)))

    def all_of(self, model: type[Model], text: Text, **which: object) -> Place:
        """The link to the list, narrowed."""
        return Place(text, list_of(self.site, model, **which))


Cell: TypeAlias = "Place | Text"


@dataclass(frozen=True, slots=True)
class Panel:
    """One part of the page.

    Attributes:
        slug: for its address within the page.
        title: what it is.
        headings: of its columns.
        rows: cells; the first of each heads its row.
        links: where there is more.
    """

    slug: str
    title: Text
    headings: Sequence[Text]
    rows: Sequence[Sequence[Cell]]
    links: Sequence[Place] = ()

    @property
    def named_rows(self) -> list[list[tuple[Text, Cell]]]:
        """Each cell with its heading, which stands before it where the page is narrow."""
        return [list(zip(self.headings, row, strict=True)) for row in self.rows]


def moment(at: Any) -> str:
    """A time for people, in the current time zone; nothing for none."""
    return "" if at is None else f"{localtime(at):%Y-%m-%d %H:%M}"
