"""What else may write a session, or hang from it, after it was saved early."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import SESSION_KEY, alogin, get_user_model, login
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, override_settings
from django.urls import path
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from tests.api.callers import Caller
from tests.opened import opened
from tests.saving.urls import BACKEND
from tests.urls import urlpatterns as of_every_test

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]


class SessionStore(DatabaseStore):
    """With Django's own hook for how long a session lasts."""

    is_remembered = True

    def get_session_cookie_age(self) -> int:
        return 30 * 86400 if self.is_remembered else 3600


def _enter(request: HttpRequest) -> None:
    person: Any = get_user_model()._default_manager.get(pk=request.GET["pk"])
    login(request, person, backend=BACKEND)


async def take_back(request: HttpRequest) -> HttpResponse:
    person: Any = await get_user_model()._default_manager.aget(pk=request.GET["pk"])
    await alogin(request, person, backend=BACKEND)
    await request.session.aset("elevated", True)
    await request.session.asave()
    await request.session.apop("elevated")
    return HttpResponse("in")


def take_back_elsewhere(request: HttpRequest) -> HttpResponse:
    _enter(request)
    other = DatabaseStore(request.session.session_key)
    other["elevated"] = True
    other.save()
    return HttpResponse("in")


def forget_me_soon(request: HttpRequest) -> HttpResponse:
    _enter(request)
    request.session.is_remembered = False  # type: ignore[attr-defined]
    return HttpResponse("in")


def copied(request: HttpRequest) -> HttpResponse:
    _enter(request)
    request.session = copy.copy(request.session)
    tries, usual = count(1), request.session._get_new_session_key  # type: ignore[attr-defined]

    def new_key() -> str:
        if next(tries) > 10:
            raise RecursionError("tried without end")
        return str(usual())

    request.session._get_new_session_key = new_key  # type: ignore[attr-defined]
    request.session.cycle_key()
    return HttpResponse("in")


def copied_deeply(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        _enter(request)
        request.session = copy.deepcopy(request.session)
        request.session.cycle_key()
    return HttpResponse("in")


def behind_a_proxy(request: HttpRequest) -> HttpResponse:
    store = request.session
    request.session = SimpleLazyObject(lambda: store)  # type: ignore[assignment]
    _enter(request)
    request.session["note"] = 1
    return HttpResponse("in")


def deleted(request: HttpRequest) -> HttpResponse:
    _enter(request)
    request.session.delete()
    return HttpResponse("in")


async def deleted_async(request: HttpRequest) -> HttpResponse:
    person: Any = await get_user_model()._default_manager.aget(pk=request.GET["pk"])
    await alogin(request, person, backend=BACKEND)
    await request.session.adelete()
    return HttpResponse("in")


urlpatterns = [
    *of_every_test,
    *opened(
        [
            path("take-back/", take_back),
            path("take-back/elsewhere/", take_back_elsewhere),
            path("forget-me-soon/", forget_me_soon),
            path("copied/", copied),
            path("copied/deeply/", copied_deeply),
            path("behind-a-proxy/", behind_a_proxy),
            path("deleted/", deleted),
            path("deleted/async/", deleted_async),
        ]
    ),
]


@pytest.fixture(params=["db", "cached_db"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """Django keeps its sessions in the database in this way."""
    with override_settings(SESSION_ENGINE=f"django.contrib.sessions.backends.{request.param}"):
        yield request.param


def test_what_a_view_takes_back_after_saving_is_not_stored(engine: str, person: AbstractUser):
    client = AsyncClient()

    async def answer() -> Any:
        return await client.get(f"/take-back/?pk={person.pk}")

    assert async_to_sync(answer)().status_code == 200
    assert "elevated" not in DatabaseStore(client.cookies["sessionid"].value)


def test_the_session_of_the_request_is_stored_last(engine: str, person: AbstractUser):
    caller = Caller()
    assert caller.get(f"/take-back/elsewhere/?pk={person.pk}").status_code == 200
    assert "elevated" not in DatabaseStore(caller.cookie)


@override_settings(SESSION_ENGINE=__name__)
def test_a_store_that_decides_later_how_long_it_lasts_is_saved_again(person: AbstractUser):
    assert Caller().get(f"/forget-me-soon/?pk={person.pk}").status_code == 200
    left = Session.objects.get().expire_date - timezone.now()
    assert left.total_seconds() <= 3600


@pytest.mark.parametrize("path", ["/copied/", "/copied/deeply/"])
def test_a_copy_of_a_session_saves_itself(path: str, person: AbstractUser):
    caller = Caller()
    assert caller.get(f"{path}?pk={person.pk}").status_code == 200
    assert SESSION_KEY in DatabaseStore(caller.cookie)
    assert Session.objects.count() == 1


def test_a_session_may_stand_behind_a_proxy(engine: str, person: AbstractUser):
    caller = Caller()
    assert caller.get(f"/behind-a-proxy/?pk={person.pk}").status_code == 200
    assert DatabaseStore(caller.cookie)["note"] == 1
    assert caller.get("/auth/me/").status_code == 200


def test_a_session_that_is_deleted_after_a_sign_in_is_djangos_own_400(
    engine: str, person: AbstractUser
):
    caller = Caller()
    assert caller.get(f"/deleted/?pk={person.pk}").status_code == 400
    client = AsyncClient()

    async def answer() -> Any:
        return await client.get(f"/deleted/async/?pk={person.pk}")

    assert async_to_sync(answer)().status_code == 400
    assert not caller.cookie
    assert not client.cookies
