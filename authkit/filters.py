"""Django REST framework's filter backend: the same decision, as a filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from authkit.access import enforcement, objects, obligations, sightings
from authkit.access.enforcement import SAFE_METHODS
from authkit.permissions import decision_about, reading_decision

if TYPE_CHECKING:  # it imports the classes of the settings, this one among them
    from rest_framework.views import APIView


class AccessFilterBackend(BaseFilterBackend):
    """Leaves in a list what the caller may see, and hides the rest.

    For a write it leaves what the caller may *see*, so that an object which they see and
    may not change is 403 and one which they don't see is 404. Who may change without
    seeing finds what they may change.
    """

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        """The rows of `queryset` for this request."""
        http = getattr(request, "_request", request)
        question = enforcement.question_of(http, request.method)
        if question is None or question.access is None:
            return queryset
        decision = decision_about(request, question)
        if request.method in SAFE_METHODS:
            obligations.met(*question.access)
        else:
            seeing = reading_decision(request, question)
            decision = seeing if seeing is not None and seeing.may_enter else decision
        rows = objects.visible_by(decision, queryset, request.user)
        if decision.conditional and getattr(view, "kwargs", None):  # one of them will be checked
            return sightings.noting(rows, http, decision.conditions)
        return rows
