"""People who are active or not by a property, not by a column.

It runs with a user model of its own (AUTHKIT_TEST_USER_MODEL=told), in a process of its own.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.test import override_settings
from django.urls import path

from authkit import decorators
from authkit.access import holdings, sync
from tests.api.callers import sign_in
from tests.people import make_person
from tests.urls import urlpatterns as of_every_test

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls(__name__),
    pytest.mark.user_model("told"),
]


@decorators.allow("authenticated")
def asked(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"pk": str(request.user.pk)})


@decorators.allow("authenticated")
def touching(request: HttpRequest) -> JsonResponse:
    user: Any = request.user
    return JsonResponse({"state": user.state, "is_active": user.is_active})


urlpatterns = [
    *of_every_test,
    path("asked/", asked, name="asked"),
    path("touching/", touching, name="touching"),
]


@pytest.mark.parametrize("mode", ["stateful", "denylist", "stateless"])
@pytest.mark.parametrize("where", ["/asked/", "/touching/"])
def test_whoever_is_not_active_is_refused(mode, where):
    person: Any = make_person("ada")
    sync.sync()
    with override_settings(AUTHKIT={**settings.AUTHKIT, "JWT_REVOCATION": mode}):
        caller = sign_in("jwt", person)
        assert caller.get(where).status_code == 200
        person.state = "blocked"
        person.save()
        holdings.forget()
        answer = caller.get(where)
        assert answer.status_code in (401, 403), answer.content
