"""A view that writes letters in ways of which nobody thinks first."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from authkit.access import conditions, visible
from tests.letters.models import Label, Letter, Parcel, Sticker

every = Letter.every


def register_conditions() -> None:
    """What the rules of these tests may name."""
    conditions.condition("own", model=Letter)(lambda user: Q(owner_key=user.pk))
    conditions.condition("own", model=Sticker)(lambda user: Q(owner_key=user.pk))
    conditions.condition("urgent", model=Letter)(lambda user: Q(labels__name="urgent"))


def _ignored_and_taken(rows: Any, me: int, other: int) -> None:
    """Seems to add a row that is there, so that it is known, and then takes it."""
    every.bulk_create([Letter(pk=row.pk) for row in rows], ignore_conflicts=True)
    rows.update(owner_key=me)


def _afterwards(rows: Any, me: int, other: int) -> None:
    transaction.on_commit(lambda: rows.update(text="changed"))


def _save_afterwards(rows: Any, me: int, other: int) -> None:
    def save() -> None:
        letter = rows.get()
        letter.text = "changed"
        letter.save()

    transaction.on_commit(save)


def _swallowed(rows: Any, me: int, other: int) -> None:
    """Goes on whatever happens."""
    with suppress(Exception), transaction.atomic():
        rows.update(text="changed")
        Letter(pk=rows.get().pk).save(force_insert=True)
    rows.update(text="changed")


def _elsewhere(rows: Any, me: int, other: int) -> None:
    """In a thread, whose connection has a transaction of its own."""
    letter = rows.get()
    letter.text = "changed"
    with ThreadPoolExecutor(1) as pool:
        pool.submit(copy_context().run, letter.save).result()


#: What each does to letters, for the caller.
WAYS: dict[str, Any] = {
    "rewrite": lambda rows, me, other: rows.update(text="changed"),
    "rewrite_by_join": lambda rows, me, other: every.filter(
        Q(pk__in=rows.values("pk")), Q(labels__name="urgent") | Q(labels=None)
    ).update(text="changed"),
    "rewrite_by_expression": lambda rows, me, other: rows.update(text=F("pk")),
    "take": lambda rows, me, other: rows.update(owner_key=me),
    "rewrite_later": lambda rows, me, other: async_to_sync(rows.aupdate)(text="changed"),
    "remove_later": lambda rows, me, other: async_to_sync(rows.adelete)(),
    "upsert_later": lambda rows, me, other: async_to_sync(every.all().aupdate_or_create)(
        pk=rows.values_list("pk", flat=True).get(), defaults={"text": "changed"}
    ),
    "remove": lambda rows, me, other: rows.delete(),
    "remove_one": lambda rows, me, other: rows.get().delete(),
    "rewrite_in_batches": lambda rows, me, other: every.bulk_update(
        [Letter(pk=row.pk, text="changed") for row in rows], ["text"], 10
    ),
    "upsert_one": lambda rows, me, other: every.update_or_create(
        pk=rows.get().pk, defaults={"text": "changed"}
    ),
    "answer": lambda rows, me, other: (
        every.filter(owner_key=me).order_by("pk")[0].answers.set(rows)
    ),
    "unanswer": lambda rows, me, other: every.get(text="asked").answers.clear(),
    "ignored_and_taken": _ignored_and_taken,
    "label": lambda rows, me, other: rows.get().labels.add(*Label.objects.all()),
    "label_from_there": lambda rows, me, other: Label.objects.get().letters.add(*rows),
    "afterwards": _afterwards,
    "save_afterwards": _save_afterwards,
    "swallowed": _swallowed,
}

#: What each does with the caller's own letter, that must not be.
ASTRAY: dict[str, Any] = {
    "give_and_hide": lambda rows, me, other: rows.update(owner_key=other, is_archived=True),
    "save_and_hide": lambda rows, me, other: Letter(
        pk=rows.get().pk, owner_key=other, is_archived=True
    ).save(),
    "give_under_another_key": lambda rows, me, other: rows.update(id=777, owner_key=other),
    "elsewhere": _elsewhere,
}


@csrf_exempt
def letters(request: HttpRequest, way: str, pk: int) -> HttpResponse:
    """Saves a letter of the caller's first; then does something else, and says nothing of it."""
    me: Any = request.user.pk
    mine = every.filter(owner_key=me, is_archived=False).order_by("pk").first()
    if mine is not None:
        mine.save()
    other = User.objects.exclude(pk=me).get()
    {**WAYS, **ASTRAY}[way](every.filter(pk=pk), me, other.pk)
    return JsonResponse({})


@csrf_exempt
def parcels(request: HttpRequest, way: str, pk: int) -> HttpResponse:
    """Writes the letters that parcels are, and no parcel but the caller's first."""
    Parcel.every.filter(owner_key=request.user.pk or 0)[0].save()
    WAYS[way](every.filter(pk=pk), request.user.pk, 0)
    return JsonResponse({})


@csrf_exempt
def stickers(request: HttpRequest, owner: int) -> HttpResponse:
    Sticker.objects.create(owner_key=owner)
    return JsonResponse({})


@csrf_exempt
def stream(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Answers with a file that is none."""
    every.filter(pk=pk).update(text="first")

    def parts() -> Iterator[bytes]:
        yield b"begun "
        every.filter(pk=pk).update(text="later")

    return FileResponse(parts())


@csrf_exempt
def tidy_stream(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Writes when it is over, however that comes."""
    every.filter(pk=pk).update(text="first")

    def parts() -> Iterator[bytes]:
        try:
            yield b"begun "
            yield b"going on"
        finally:
            every.update(text="later")

    return StreamingHttpResponse(parts())


def seen(request: HttpRequest) -> HttpResponse:
    """Shows also what was put away."""
    rows = visible(every.order_by("pk"), request.user, "seen:read")
    return JsonResponse({"keys": list(rows.values_list("pk", flat=True))})


views: list[Any] = [letters, stream, tidy_stream, seen]
for view in views:
    view.access_model = Letter
parcels.access_model = Parcel  # type: ignore[attr-defined]
stickers.access_model = Sticker  # type: ignore[attr-defined]


urlpatterns = [
    path("letters/<str:way>/<int:pk>/", letters, name="letters"),
    path("parcels/<str:way>/<int:pk>/", parcels, name="parcels"),
    path("stickers/<int:owner>/", stickers, name="stickers"),
    path("stream/<int:pk>/", stream, name="stream"),
    path("tidy_stream/<int:pk>/", tidy_stream, name="tidy_stream"),
    path("seen/", seen, name="seen"),
]
