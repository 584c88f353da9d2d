"""The pages of the matrix: the grid, one endpoint without JavaScript, the preview."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from authkit import wording
from authkit.access import matrix
from authkit.access.grid import Grid
from authkit.access.grid_edits import Edit, EditError, as_list, read_edits, written
from authkit.access.loading import AccessChanging, Policy
from authkit.access.matrix import AccessChanged, EditsRefused, Plan
from authkit.access.refusals import text_of
from authkit.admin.matrix.drawing import Drawer
from authkit.admin.matrix.preview import preview_of
from authkit.admin.matrix.texts import change_text, problem_text
from authkit.admin.page import PageAdmin, page
from authkit.exceptions import NotPermitted
from authkit.kernel.policy import BUILT_IN
from authkit.kernel.policy import Role as KernelRole
from authkit.models import Role

#: More columns are on a second page: a browser would not bear them.
MOST_ROLES = 40

Matrix = page("Matrix", gettext_lazy("access matrix"))


@admin.register(Matrix)
class MatrixAdmin(PageAdmin):
    """Shows who may do what, and changes it.

    To look takes the permission to view rules; to edit, those to add, change and delete
    them. What is changed is shown first, with who gains and who loses by it, and is saved
    only if nobody else has changed access in between.
    """

    view_permissions = ("authkit.view_rule",)
    edit_permissions: ClassVar[tuple[str, ...]] = (
        "authkit.view_rule",
        "authkit.add_rule",
        "authkit.change_rule",
        "authkit.delete_rule",
    )

    def has_edit_permission(self, request: HttpRequest) -> bool:
        """Whether this person may change rules here; what exactly, the guards say."""
        return self.has_view_permission(request) and request.user.has_perms(self.edit_permissions)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Answer for all pages of the matrix."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST" and not self.has_edit_permission(request):
            raise PermissionDenied
        try:
            if request.method == "POST":
                return self._post(request)
            return self._look(request, matrix.read())
        except (ValueError, AccessChanging) as error:
            return self._unreadable(request, error)

    def _look(self, request: HttpRequest, policy: Policy) -> HttpResponse:
        if "rows" in request.GET:
            return self._rows(request, policy, request.GET["rows"])
        if "endpoint" in request.GET:
            return self._endpoint(request, policy, request.GET["endpoint"])
        return self._grid(request, policy)

    def _post(self, request: HttpRequest) -> HttpResponse:
        try:
            edits = read_edits(request.POST.getlist("edit"))
        except EditError as error:
            raise BadRequest(str(error)) from error
        if "_edit" in request.POST:
            return self._grid(request, matrix.read(), edits)
        if "_save" in request.POST:
            return self._save(request, edits)
        return self._preview(request, matrix.plan(edits), seen=_number(request, "seen"))

    def _save(self, request: HttpRequest, edits: tuple[Edit, ...]) -> HttpResponse:
        number = _number(request, "policy_number")
        try:
            with transaction.atomic():
                saved = matrix.save(edits, policy_number=-1 if number is None else number)
                self._log(request, saved)
        except AccessChanged:
            return self._preview(request, matrix.plan(edits), seen=-1, status=409)
        except EditsRefused:
            return self._preview(request, matrix.plan(edits), status=409)
        except NotPermitted as refusal:
            self.message_user(request, _refused_text(refusal), messages.ERROR)
            return self._preview(request, matrix.plan(edits), status=403)
        count = len(saved.changes)
        text = ngettext("%(count)d rule was changed.", "%(count)d rules were changed.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)
        return HttpResponseRedirect(self._url())

    def _log(self, request: HttpRequest, saved: Plan) -> None:
        """Note it in the history of each role."""
        lines: dict[str, list[str]] = {}
        for change in saved.changes:
            where = f"{change.spot.key}:{','.join(change.spot.actions)}"
            lines.setdefault(change.spot.role, []).append(f"{where}: {change_text(change, {})}")
        for role in Role._base_manager.filter(slug__in=lines):
            self.log_change(request, role, "; ".join(lines[role.slug]))

    def _preview(
        self, request: HttpRequest, plan: Plan, *, seen: int | None = None, status: int = 200
    ) -> HttpResponse:
        number = plan.policy.revision.policy
        for edit, problem in plan.problems:
            self.message_user(request, problem_text(edit, problem), messages.ERROR)
        if plan.problems:
            status = max(status, 409)
        if seen is not None and seen != number:
            text = _("Somebody else has changed access meanwhile. This is what would change now.")
            self.message_user(request, text, messages.WARNING)
        if not plan.changes:
            self.message_user(request, _("This would change no rule."), messages.INFO)
        context = {
            "title": _("What would change"),
            "preview": preview_of(plan, now=timezone.now()),
            "edits": written(plan.edits),
            "policy_number": number,
            "url": self._url(),
        }
        return self._respond(request, "preview", context, status=status)

    def _grid(
        self, request: HttpRequest, policy: Policy, pending: Sequence[Edit] = ()
    ) -> HttpResponse:
        grid = matrix.grid_of(policy)
        search = request.GET.get("q", "").strip()
        roles, columns = self._columns(request, grid)
        drawer = Drawer(grid, columns, settings.ROOT_URLCONF)
        keys = _keys(grid, search)
        context = {
            "groups": drawer.groups(keys),
            "search": search,
            "pending": [as_list(edit) for edit in pending],
            "texts": _texts(),
            "policy_number": policy.revision.policy,
            "count": len(keys),
            **roles,
        }
        return self._respond(request, "grid", context)

    def _rows(self, request: HttpRequest, policy: Policy, key: str) -> HttpResponse:
        grid = matrix.grid_of(policy)
        if key not in grid.snapshot.endpoints:
            raise Http404
        _roles, columns = self._columns(request, grid)
        rows = Drawer(grid, columns, settings.ROOT_URLCONF).rows_below(key)
        context = {"rows": rows, "may_edit": self.has_edit_permission(request)}
        return TemplateResponse(request, "admin/authkit/matrix/rows.html", context)

    def _endpoint(self, request: HttpRequest, policy: Policy, key: str) -> HttpResponse:
        grid = matrix.grid_of(policy)
        if key not in grid.snapshot.endpoints:
            raise Http404
        roles, columns = self._columns(request, grid)
        drawer = Drawer(grid, columns, settings.ROOT_URLCONF)
        rows = list(drawer.choice_rows(key))
        lines = [
            {"role": role, "cells": [(row, cells[n]) for row, cells in rows]}
            for n, (role, _is_built_in) in enumerate(roles["roles"])
        ]
        context = {
            "title": key,
            "key": key,
            "rows": rows,
            "lines": lines,
            "policy_number": policy.revision.policy,
            **roles,
        }
        return self._respond(request, "endpoint", context)

    def _columns(self, request: HttpRequest, grid: Grid) -> tuple[dict[str, Any], Sequence[int]]:
        pages = -(-len(grid.roles) // MOST_ROLES)
        asked = request.GET.get("roles", "")
        is_number = asked.isascii() and asked.isdigit() and len(asked) < len("1000000")
        number = max(1, min(int(asked) if is_number else 1, pages))
        columns = range(len(grid.roles))[(number - 1) * MOST_ROLES : number * MOST_ROLES]
        context = {
            "roles": [(_named(grid.roles[n]), grid.roles[n].id in BUILT_IN) for n in columns],
            "page_of_roles": number,
            "pages_of_roles": range(1, pages + 1),
        }
        return context, columns

    def _unreadable(self, request: HttpRequest, error: Exception) -> HttpResponse:
        """Say what is wrong with the rules, so that somebody can mend it."""
        self.message_user(request, _("The access rules cannot be read."), messages.ERROR)
        return self._respond(
            request, "unreadable", {"error": wording.error_text(error)}, status=503
        )

    def _respond(
        self, request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200
    ) -> HttpResponse:
        more = {"may_edit": self.has_edit_permission(request), "url": self._url(), **context}
        template = f"admin/authkit/matrix/{name}.html"
        request.current_app = self.admin_site.name
        return TemplateResponse(request, template, self.context(request, **more), status=status)

    def _url(self) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
        return reverse(name, current_app=self.admin_site.name)


def _keys(grid: Grid, search: str) -> list[str]:
    """The endpoints to show; those that have vanished only where rules name them."""
    ruled = grid.snapshot.rules.keys() | {spot.key for spot in grid.drift.off}
    keys = [
        key
        for key, endpoint in grid.snapshot.endpoints.items()
        if search.lower() in key.lower()
        and (endpoint.declaration.state != "missing" or key in ruled)
    ]
    return sorted(keys, key=lambda key: (key.rpartition(".")[0], key))


def _named(role: KernelRole) -> KernelRole:
    return replace(role, name=wording.role_name(role))


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _refused_text(refusal: NotPermitted) -> str:
    return _("Nothing was saved. %(why)s") % {"why": text_of(refusal)}


def _texts() -> dict[str, str]:
    """What the page's script says."""
    return {
        "allow": _("allow"),
        "deny": _("deny"),
        "allowIf": _("allow if %s"),
        "denyIf": _("deny if %s"),
        "and": _(" and "),
        "nothing": _("no rule"),
        "without": _("without: %s"),
        "also": _("also: %s"),
        "asItIs": _("as it is: %s"),
        "wanted": _("will be: %s"),
        "edits": _("Changed cells: %s"),
        "leave": _("There are changes that have not been saved."),
        "failed": _("The rows could not be loaded. Open the endpoint's own page instead."),
        "found": _("Endpoints: %s"),
    }
