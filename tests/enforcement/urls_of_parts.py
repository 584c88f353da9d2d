"""Views that write rows which are stored in parts, or are known by odd keys."""

from __future__ import annotations

from typing import Any

from django.db.models import Func, Q, Value
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from authkit.access import conditions
from tests.enforcement import urls_letters
from tests.letters.models import Box, Enclosure, Label, Letter, Parcel, Receipt, Sticker

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
    elif way == "rewrite_by_link":
        Enclosure.every.filter(sheet=key).update(owner_key=me, text="changed")
    elif way == "save_by_link":
        mine = Enclosure.every.get(sheet=key)
        mine.owner_key, mine.text = me, "changed"
        mine.save()


def _enclosure(me: int, way: str, key: int) -> None:
    Enclosure.every.create(owner_key=me)
    if way == "rewrite":
        every.filter(pk=key).update(owner_key=me, text="changed")
    elif way == "save":
        _adopt(Letter, me, key)


Stamped: Any = Box.stamps.through
Labelled: Any = Letter.labels.through


def _stamped(key: int) -> Any:
    return Stamped.objects.filter(box=key)


#: What one may do with the pairs of a box.
STAMPINGS: dict[str, Any] = {
    "add": lambda key, label: Box.every.get(pk=key).stamps.add(label),
    "set": lambda key, label: Box.every.get(pk=key).stamps.set([label]),
    "add_from_there": lambda key, label: label.boxes.add(key),
    "save_by_hand": lambda key, label: Stamped(box_id=key, label=label).save(),
    "rewrite_by_hand": lambda key, label: _stamped(key).update(label=label),
    "remove_by_hand": lambda key, label: _stamped(key).delete(),
    "clear": lambda key, label: Box.every.get(pk=key).stamps.clear(),
    "label": lambda key, label: Labelled(letter_id=key, label=label).save(),
}


def _stamping(me: int, way: str, key: int) -> None:
    every.create(owner_key=me)
    STAMPINGS[way](key, Label.objects.get(name="done"))


def _choosing(me: int, way: str, key: int) -> None:
    """Gives a pair a key of its own choosing."""
    letter = every.filter(owner_key=me).order_by("pk")[0]
    letter.save()
    Labelled(pk=key, letter=letter, label=Label.objects.get(name="done")).save()


def _labelling(me: int, way: str, key: int) -> None:
    """Of the letter of an enclosure, by the relation of letters."""
    Enclosure.every.create(owner_key=me)
    Labelled(letter_id=key, label=Label.objects.get(name="done")).save()


def _leave(me: int, way: str, key: int) -> None:
    """Leaves a letter behind that is in nobody's reach."""
    every.create(owner_key=me)
    parcel = Parcel.every.create(owner_key=key, text="planted")
    parcel.delete(keep_parents=True)


#: How one adds a row of whose key only the database knows.
UNKNOWN: dict[str, Any] = {
    "stickers": lambda owner: Sticker.objects.bulk_create([Sticker(owner_key=owner)]),
    "letters": lambda owner: every.bulk_create(
        [Letter(pk=Func(Value("letters_letter_id_seq"), function="nextval"), owner_key=owner)]
    ),
}


def _sticker(me: int, way: str, key: int) -> None:
    UNKNOWN[way](key)


def _new_letter(me: int, way: str, key: int) -> None:
    every.create(owner_key=me)
    UNKNOWN[way](key)


receipts = Receipt.objects

#: What one may do with a receipt of one's own.
FILINGS: dict[str, Any] = {
    "create": lambda me: receipts.create(office=2, number=1, owner_key=me),
    "save": lambda me: Receipt(office=1, number=1, owner_key=me).save(),
    "save_texts": lambda me: Receipt(office="1", number="1", owner_key=me).save(),
    "add_texts": lambda me: receipts.bulk_create([Receipt(office="2", number="1", owner_key=me)]),
    "update": lambda me: receipts.filter(pk=(1, 1)).update(owner_key=me),
    "update_each": lambda me: receipts.bulk_update(
        [Receipt(office="1", number="1", owner_key=me)], ["owner_key"]
    ),
    "remove": lambda me: receipts.filter(pk=(1, 1)).delete(),
    "remove_one": lambda me: receipts.get(pk=(1, 1)).delete(),
}

#: And what with somebody else's, or with one's own to somebody else's use.
MISFILINGS: dict[str, Any] = {
    "save": lambda me, other: Receipt(office=1, number=2, owner_key=me).save(),
    "save_texts": lambda me, other: Receipt(office="1", number="2", owner_key=me).save(),
    "update": lambda me, other: receipts.filter(pk=(1, 2)).update(owner_key=me),
    "update_each": lambda me, other: receipts.bulk_update(
        [Receipt(office=1, number="2", owner_key=me)], ["owner_key"]
    ),
    "remove": lambda me, other: receipts.filter(pk=(1, 2)).delete(),
    "give": lambda me, other: receipts.filter(pk=(1, 1)).update(owner_key=other),
    "give_under_another_key": lambda me, other: receipts.filter(pk=(1, 1)).update(
        number=7, owner_key=other
    ),
    "give_new": lambda me, other: receipts.bulk_create(
        [Receipt(office=2, number=1, owner_key=other)]
    ),
}


def _filing(me: int, way: str, key: int) -> None:
    FILINGS[way](me)


def _misfiling(me: int, way: str, key: int) -> None:
    receipts.create(office=3, number=3, owner_key=me)
    MISFILINGS[way](me, key)


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
    path("sticker/<str:way>/<int:key>/", _view(Sticker, _sticker), name="sticker"),
    path("new_letter/<str:way>/<int:key>/", _view(Letter, _new_letter), name="new_letter"),
    path("filing/<str:way>/<int:key>/", _view(Receipt, _filing), name="filing"),
    path("misfiling/<str:way>/<int:key>/", _view(Receipt, _misfiling), name="misfiling"),
    path("stamping/<str:way>/<int:key>/", _view(Letter, _stamping), name="stamping"),
    path("labelling/<str:way>/<int:key>/", _view(Enclosure, _labelling), name="labelling"),
    path("choosing/<str:way>/<int:key>/", _view(Letter, _choosing), name="choosing"),
    path("leave/<str:way>/<int:key>/", _view(Letter, _leave), name="leave"),
]
