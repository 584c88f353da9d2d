"""Nobody changes or deletes an event, by whatever road; people may go all the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from authkit import audit
from authkit.models import AuditEvent
from authkit.models.audit_event import older_than

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> AuditEvent:
    audit.record("a.one", actor_name="mallory")
    return AuditEvent.objects.get(kind="a.one")


def save(event: AuditEvent) -> None:
    event.actor_name = "alice"
    event.save()


def save_some(event: AuditEvent) -> None:
    event.actor_name = "alice"
    event.save(update_fields=["actor_name"])


def forced(event: AuditEvent) -> None:
    event.save(force_update=True)


def upsert(event: AuditEvent) -> object:
    return AuditEvent.objects.bulk_create(
        [AuditEvent(pk=event.pk, at=event.at, kind="b.two")],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["kind"],
    )


def set_name(event: AuditEvent) -> object:
    return AuditEvent.objects.update_or_create(pk=event.pk, defaults={"actor_name": "alice"})


def update_through_base(event: AuditEvent) -> object:
    return AuditEvent._base_manager.update(actor_name="alice")


def bulk_update(event: AuditEvent) -> object:
    return AuditEvent.objects.bulk_update([event], ["actor_name"])


def delete_through_base(event: AuditEvent) -> object:
    return AuditEvent._base_manager.all().delete()


ROADS: list[Callable[[AuditEvent], object]] = [
    save,
    save_some,
    forced,
    set_name,
    upsert,
    bulk_update,
    update_through_base,
    delete_through_base,
    lambda event: event.delete(),
    lambda event: AuditEvent.objects.update(actor_name="alice"),
    lambda event: AuditEvent.objects.filter(pk=event.pk).update(actor=None, kind="b.two"),
    lambda event: AuditEvent.objects.all().delete(),
    lambda event: AuditEvent.objects.filter(pk=event.pk).delete(),
]


@pytest.mark.parametrize("road", ROADS)
def test_no_road_changes_or_deletes_an_event(event, road):
    before = AuditEvent.objects.values().get(pk=event.pk)
    with pytest.raises(TypeError, match="append only"):
        road(event)
    assert AuditEvent.objects.values().get(pk=event.pk) == before


def test_only_what_is_old_enough_is_for_prune_to_delete(event):
    assert older_than(event.at).delete()[0] == 0
    assert older_than(timezone.now() + timedelta(seconds=1)).delete()[0] >= 1


def test_a_person_may_go_and_their_events_keep_the_name(person):
    with audit.by_impersonator(lambda: (person.pk, str(person))):
        audit.record("a.one", actor=person)
    name = str(person)
    get_user_model().objects.filter(pk=person.pk).delete()
    event = AuditEvent.objects.get(kind="a.one")
    assert (event.actor_id, event.actor_name) == (None, name)
    assert (event.impersonator_id, event.impersonator_name) == (None, name)
