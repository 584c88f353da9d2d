"""Where reads go to a replica, what follows a write is read where it was written."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group

from authkit.models import AuditEvent
from tests.people import make_person

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.access.urls")]


class ReadsElsewhere:
    """A replica that answers nobody: it is behind, or not there at all."""

    def db_for_read(self, model: Any, **_: Any) -> str:
        return "replica"

    def db_for_write(self, model: Any, **_: Any) -> str:
        return "default"


def test_a_change_of_groups_is_noted_by_names_that_a_replica_does_not_know(settings):
    bob, group = make_person("bob"), Group.objects.create(name="desk")
    settings.DATABASE_ROUTERS = [ReadsElsewhere()]
    bob.groups.add(group)
    bob.groups.remove(group)
    events = AuditEvent.objects.using("default").filter(kind="access.person_groups_changed")
    told = [(event.data["added"], event.data["removed"]) for event in events.order_by("pk")]
    assert told == [(["desk"], []), ([], ["desk"])]
