"""A view that writes letters which others write at the same moment."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F, ProtectedError, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from rest_framework.generics import RetrieveUpdateDestroyAPIView
from rest_framework.serializers import ModelSerializer

from authkit.filters import AccessFilterBackend
from authkit.permissions import EndpointPermission
from tests.letters.models import Label, Letter, Parcel

every = Letter.every
Pair: Any = Letter.labels.through


def _save(me: int) -> int:
    letter = every.filter(text="due").order_by("pk")[0]
    letter.text = "changed"
    letter.save()
    return 1


def _rewrite_each(me: int) -> int:
    found = [Letter(pk=row.pk, text="changed", owner_key=me) for row in every.filter(text="due")]
    return every.bulk_update(found, ["text", "owner_key"])


def _rewrite_in_two_steps(me: int) -> int:
    every.filter(text="due").update(text="due")
    return every.filter(text="due").update(text="changed")


def _take_after_a_rollback(me: int) -> int:
    """Gives up the locks of the first attempt."""
    with suppress(ZeroDivisionError), transaction.atomic():
        every.filter(text="due").update(text="due")
        raise ZeroDivisionError
    return every.filter(text="due").update(text="changed", owner_key=me)


def _take_after_a_rollback_by_hand(me: int) -> int:
    """To a savepoint of which no block knows."""
    savepoint = transaction.savepoint()
    every.filter(text="due").update(text="due")
    transaction.savepoint_rollback(savepoint)
    return every.filter(text="due").update(text="changed", owner_key=me)


def _take_within(me: int) -> int:
    """In a savepoint each time."""
    for _ in range(2):
        with transaction.atomic():
            written = every.filter(text="due").update(text="changed", owner_key=me)
            every.filter(text="changed").update(text="due")
    return written and every.filter(text="due").update(text="changed")


def _save_whatever_happens(me: int) -> int:
    """Goes on after a failure in the middle of its transaction."""
    every.filter(text="kept").update(text="changed")
    with suppress(OperationalError):
        _save(me)
    return 1


def _rewrite_whatever_happens(me: int) -> int:
    """Leaves out what cannot be written."""
    with suppress(OperationalError):
        every.filter(text="due").update(text="changed")
    return every.filter(text="kept").update(text="changed")


def _remove_whatever_happens(me: int | None) -> int:
    """Leaves what is sealed."""
    with suppress(ProtectedError):
        every.filter(text="due").delete()
    return every.filter(text="due").update(is_archived=True)


def _save_in_vain(me: int) -> int:
    """Returns how many notes a save that failed has left on a letter."""
    letter = Letter(pk=every.get(text="due").pk, owner_key=me)
    before = {*vars(letter)}
    with suppress(IntegrityError), transaction.atomic():
        letter.save(force_insert=True)
    every.filter(text="due").update(is_archived=True)
    return len({*vars(letter)} - before)


#: What each does to the letters that are due, for the caller; returns how many it wrote.
WAYS: dict[str, Any] = {
    "rewrite": lambda me: every.filter(text="due").update(text="changed"),
    "take": lambda me: every.filter(text="due").update(text="changed", owner_key=me),
    "take_by_expression": lambda me: every.filter(text="due").update(
        text="changed", owner_key=F("owner_key") * 0 + me
    ),
    "rewrite_by_join": lambda me: every.filter(labels__name="urgent").update(text="changed"),
    "rewrite_by_annotation": lambda me: (
        every.annotate(said=F("text")).filter(said="due").order_by("said").update(text="changed")
    ),
    "rewrite_in_two_steps": _rewrite_in_two_steps,
    "rewrite_skipping": lambda me: (
        every.select_for_update(skip_locked=True).filter(text="due").update(text="changed")
    ),
    "take_after_a_rollback": _take_after_a_rollback,
    "take_after_a_rollback_by_hand": _take_after_a_rollback_by_hand,
    "take_within": _take_within,
    "rewrite_each": _rewrite_each,
    "save": _save,
    "remove": lambda me: every.filter(text="due").delete()[0],
    "remove_by_join": lambda me: every.filter(labels__name="urgent").delete()[0],
    "remove_by_rank": lambda me: (
        every.annotate(rank=Window(RowNumber(), order_by="text"))
        .filter(rank__gte=1, text="due")
        .delete()[0]
    ),
    "remove_one": lambda me: every.filter(text="due").order_by("pk")[0].delete()[0],
    "unlabel": lambda me: Pair.objects.filter(label__name="urgent").delete()[0],
    "relabel": lambda me: Pair.objects.filter(label__name="urgent").update(
        label=Label.objects.get(name="done")
    ),
    "reweigh": lambda me: Parcel.every.filter(text="due").update(weight=3, text="changed"),
    "remove_parcels": lambda me: Parcel.every.filter(text="due").delete()[0],
}


def _by_hand(me: int, letter: str = "due", **key: Any) -> Any:
    """A pair that says of a letter what is stored of theirs; before, one's own is written."""
    every.filter(owner_key=me).update(is_archived=False)
    key = key or {"pk": Pair.objects.get(letter__text="theirs").pk}
    return Pair(letter=every.get(text=letter), label=Label.objects.get(name="done"), **key)


#: What else one may do.
OTHER_WAYS: dict[str, Any] = {
    "save_whatever_happens": _save_whatever_happens,
    "rewrite_whatever_happens": _rewrite_whatever_happens,
    "remove_whatever_happens": _remove_whatever_happens,
    "save_in_vain": _save_in_vain,
    "rewrite_distinct": lambda me: every.distinct("is_archived").update(text="changed"),
    "rewrite_all": lambda me: every.update(text="changed"),
    "remove_all": lambda me: every.all().delete()[0],
    "answer_first": lambda me: every.filter(text="due").update(
        text="changed", answered=every.get(text="first")
    ),
    "save_new": lambda me: Letter(pk=777_777, text="changed", owner_key=me).save(),
    "rewrite_new": lambda me: every.bulk_update(
        [Letter(pk=777_777, text="changed", owner_key=me), *every.filter(text="due")],
        ["text", "owner_key"],
    ),
    "update_or_create_new": lambda me: every.update_or_create(
        pk=777_777, defaults={"text": "changed", "owner_key": me}
    ),
    "label_by_hand": lambda me: _by_hand(me, pk=None, letter="theirs").save(),
    "relabel_by_hand": lambda me: _by_hand(me).save(),
    "relabel_each_by_hand": lambda me: Pair.objects.bulk_update([_by_hand(me)], ["label"]),
    "unlabel_by_hand": lambda me: _by_hand(me).delete(),
}


@csrf_exempt
def write(request: HttpRequest, way: str) -> JsonResponse:
    count = {**WAYS, **OTHER_WAYS}[way](request.user.pk)
    return JsonResponse({"count": count if isinstance(count, int) else str(count)})


write.access_model = Letter  # type: ignore[attr-defined]


Member: Any = User.groups.through


def _new(person: int, **key: Any) -> Any:
    return Member(user_id=person, group=Group.objects.get(name="new"), **key)


def _kept(person: int) -> int:
    return int(Member.objects.get(user_id=person).pk)


#: What each does to the groups of a person, and what groups that leaves them with.
MEMBER_WAYS: dict[str, Any] = {
    "join": (
        lambda me, them: User.objects.get(pk=them).groups.add(_new(them).group),
        ["new", "old"],
    ),
    "join_by_hand": (lambda me, them: _new(them).save(), ["new", "old"]),
    "join_at_once": (lambda me, them: Member.objects.bulk_create([_new(them)]), ["new", "old"]),
    "rejoin_by_hand": (lambda me, them: _new(them, pk=_kept(them)).save(), ["new"]),
    "adopt": (lambda me, them: _new(me, pk=_kept(them)).save(), None),
    "leave_by_hand": (lambda me, them: Member.objects.get(user_id=them).delete(), []),
}


@csrf_exempt
def members(request: HttpRequest, way: str, person: int) -> JsonResponse:
    """Before that, one's own row is written."""
    me: Any = request.user.pk
    User.objects.filter(pk=me).update(last_name="A.")
    MEMBER_WAYS[way][0](me, person)
    return JsonResponse({})


members.access_model = User  # type: ignore[attr-defined]


class LetterSerializer(ModelSerializer[Letter]):
    class Meta:
        model = Letter
        fields = ("id", "text")


class OneLetter(RetrieveUpdateDestroyAPIView[Letter]):
    queryset = Letter.every.all()
    serializer_class = LetterSerializer
    permission_classes = [EndpointPermission]
    filter_backends = [AccessFilterBackend]


urlpatterns = [
    path("write/<str:way>/", write, name="write"),
    path("members/<str:way>/<int:person>/", members, name="members"),
    path("letter/<int:pk>/", OneLetter.as_view(), name="letter"),
]
