"""Views that write rows which are stored in parts, or are known by odd keys."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from authkit.access import conditions
from tests.enforcement import urls_letters
from tests.letters.models import Box, Enclosure, Letter, Parcel, Receipt

every = Letter.every


def register_conditions() -> None:
    urls_letters.register_conditions()
    conditions.condition("own", model=Receipt)(lambda user: Q(owner_key=user.pk))


def _adopt(kind: Any, me: int, key: int, **links: Any) -> None:
    kind(pk=key, owner_key=me, text="changed", **links).save()


def _enclose(me: int, key: int) -> None:
    """Hangs what is one's own from another letter."""
    mine = Enclosure.every.get(owner_key=me)
    mine.id = mine.sheet_id = key
    mine.text = "changed"
    mine.save()


def _enclose_at_once(me: int, key: int) -> None:
    mine = Enclosure.every.filter(owner_key=me)
    keys = [enclosure.pk for enclosure in mine]
    mine.update(sheet=key)
    Enclosure.every.filter(pk__in=keys).update(owner_key=me, text="changed")


def _enclose_each(me: int, key: int) -> None:
    mine = Enclosure.every.get(owner_key=me)
    mine.sheet_id = key
    Enclosure.every.bulk_update([mine], ["sheet"])
    Enclosure.every.filter(pk=mine.pk).update(owner_key=me, text="changed")


#: How one makes another letter a part of a row of one's own.
ADOPTIONS: dict[str, Any] = {
    "save": lambda me, key: _adopt(Parcel, me, key),
    "save_by_two_keys": lambda me, key: _adopt(Parcel, me, key, letter_ptr_id=key),
    "save_by_link": lambda me, key: Parcel(
        letter_ptr=every.get(pk=key), owner_key=me, text="changed"
    ).save(),
    "create": lambda me, key: Parcel.every.create(id=key, owner_key=me, text="changed"),
    "update_or_create": lambda me, key: Parcel.every.update_or_create(
        pk=key, defaults={"owner_key": me, "text": "changed"}
    ),
    "save_new_enclosure": lambda me, key: Enclosure(id=key, owner_key=me, text="changed").save(),
    "enclose": _enclose,
    "enclose_at_once": _enclose_at_once,
    "enclose_each": _enclose_each,
}


def _letter(me: int, way: str, key: int) -> None:
    every.create(owner_key=me)
    ADOPTIONS[way](me, key)


def _parcel(me: int, way: str, key: int) -> None:
    """By a box that shares the parcel's letter."""
    Parcel.every.create(owner_key=me)
    if way == "rewrite":
        Box.every.filter(pk=key).update(owner_key=me, text="changed")
    elif way == "save":
        _adopt(Box, me, key)


def _enclosure(me: int, way: str, key: int) -> None:
    Enclosure.every.create(owner_key=me)
    if way == "rewrite":
        every.filter(pk=key).update(owner_key=me, text="changed")
    elif way == "save":
        _adopt(Letter, me, key)


def _leave(me: int, way: str, key: int) -> None:
    """Leaves a letter behind that is in nobody's reach."""
    every.create(owner_key=me)
    parcel = Parcel.every.create(owner_key=key, text="planted")
    parcel.delete(keep_parents=True)


def _view(model: Any, write: Any) -> Any:
    @csrf_exempt
    def view(request: HttpRequest, way: str, key: int) -> JsonResponse:
        write(request.user.pk, way, key)
        return JsonResponse({})

    view.access_model = model  # type: ignore[attr-defined]
    view.__name__ = write.__name__
    return view


urlpatterns = [
    path("letter/<str:way>/<int:key>/", _view(Letter, _letter), name="letter"),
    path("parcel/<str:way>/<int:key>/", _view(Parcel, _parcel), name="parcel"),
    path("enclosure/<str:way>/<int:key>/", _view(Enclosure, _enclosure), name="enclosure"),
    path("leave/<str:way>/<int:key>/", _view(Letter, _leave), name="leave"),
]
