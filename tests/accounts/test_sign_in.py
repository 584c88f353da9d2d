"""Every sign-in has its UserSession, whoever called `login()`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth import user_logged_in
from django.test import AsyncClient, Client, override_settings
from django.utils import timezone

from authkit import signals
from authkit.models import AuditEvent, UserSession
from tests.api.callers import browser, sign_in, with_cookie
from tests.people import PASSWORD, make_person, make_superuser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import AbstractUser

pytestmark = [pytest.mark.urls("tests.api.urls"), pytest.mark.django_db]
committed = pytest.mark.django_db(transaction=True)

ENGINES = ["db", "cached_db", "cache", "file", "signed_cookies"]
WAYS = [
    "admin form",
    "LoginView",
    "login() in a view",
    "alogin() in an async view",
    "alogin() under ASGI",
    "force_login",
    "aforce_login",
    "client.login",
    "our API",
]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    name = f"django.contrib.sessions.backends.{request.param}"
    with override_settings(SESSION_ENGINE=name, SESSION_FILE_PATH=str(tmp_path)):
        yield name


def _by_form(client: Client, path: str, person: AbstractUser) -> None:
    client.get(path)
    fields = {
        "username": person.get_username(),
        "password": PASSWORD,
        "csrfmiddlewaretoken": client.cookies["csrftoken"].value,
        "next": "/plain/",
    }
    assert client.post(path, fields).status_code == 302


def enter(way: str, person: Any, client: Client | None = None) -> Client:
    """A browser in which this person has signed in, in one of the `WAYS`."""
    client = client or Client(enforce_csrf_checks=True)
    if way == "admin form":
        _by_form(client, "/admin/login/", person)
    elif way == "LoginView":
        _by_form(client, "/login/", person)
    elif way == "login() in a view":
        assert client.get(f"/sign-in/?pk={person.pk}").status_code == 200
    elif way == "alogin() in an async view":
        assert client.get(f"/sign-in/async/?pk={person.pk}").status_code == 200
    elif way == "alogin() under ASGI":
        _under_asgi(client, f"/sign-in/async/?pk={person.pk}")
    elif way == "force_login":
        client.force_login(person)
    elif way == "aforce_login":
        asynchronous = AsyncClient()
        async_to_sync(asynchronous.aforce_login)(person)
        client.cookies = asynchronous.cookies
    elif way == "client.login":
        assert client.login(username=person.get_username(), password=PASSWORD)
    else:
        client = sign_in("session", person).client
    return client


def _under_asgi(client: Client, path: str) -> None:
    asynchronous = AsyncClient()
    asynchronous.cookies = client.cookies

    async def ask() -> Any:
        return await asynchronous.get(path)

    assert async_to_sync(ask)().status_code == 200


def _seen(client: Client) -> Any:
    response = client.get("/plain/")
    return response.json().get("user") if response.status_code == 200 else response.status_code


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_sign_in_starts_one_user_session_that_can_be_ended(way: str):
    root = make_superuser()
    client = enter(way, root)
    assert _seen(client) == str(root.pk)
    session = UserSession.objects.get()
    assert (session.user_id, session.kind, session.revoked_at) == (root.pk, "session", None)
    event = AuditEvent.objects.get(kind="login.succeeded")
    assert (event.actor_id, event.session_id) == (root.pk, session.pk)
    listed = client.get("/auth/sessions/").json()
    assert [(entry["id"], entry["current"]) for entry in listed] == [(str(session.pk), True)]
    sign_in("jwt", root).delete(f"/auth/sessions/{session.pk}/")
    assert _seen(client) == 401


@pytest.mark.parametrize("way", ["LoginView", "login() in a view", "force_login", "aforce_login"])
def test_every_engine_of_sessions_will_do(way: str, engine: str, person: AbstractUser):
    client = enter(way, person)
    assert _seen(client) == str(person.pk)
    assert UserSession.objects.count() == 1
    UserSession.objects.update(revoked_at=timezone.now())
    assert _seen(client) == 401


@pytest.mark.parametrize("way", [way for way in WAYS if "force" not in way])
def test_signing_in_again_ends_the_sign_in_before_and_changes_the_key(
    way: str, person: AbstractUser, superuser: AbstractUser
):
    for somebody in (superuser, make_superuser("boss")):
        client = enter("our API", superuser)
        key = client.cookies["sessionid"].value
        before = UserSession.objects.get(revoked_at=None)
        if way in {"our API", "client.login"}:
            caller = with_cookie(key)
            body = {"username": somebody.get_username(), "password": PASSWORD}
            assert caller.post("/auth/session/", body).status_code == 200
            client = caller.client
        else:
            enter(way, somebody, client)
        assert client.cookies["sessionid"].value != key
        before.refresh_from_db()
        assert before.revoked_reason == "replaced"
        assert _seen(client) == str(somebody.pk)
        assert with_cookie(key).get("/api/open/").status_code == 401
        UserSession.objects.all().delete()


@committed
@pytest.mark.parametrize("way", WAYS)
def test_every_sign_in_is_told_once_with_a_request(way: str):
    root = make_superuser()
    told: list[tuple[str, Any]] = []

    def on_django(**said: Any) -> None:
        told.append(("django", said))

    def on_ours(**said: Any) -> None:
        told.append(("ours", said))

    user_logged_in.connect(on_django)
    signals.signed_in.connect(on_ours)
    try:
        enter(way, root)
    finally:
        user_logged_in.disconnect(on_django)
        signals.signed_in.disconnect(on_ours)
    assert sorted(name for name, _ in told) == ["django", "ours"]
    assert all(said["request"] is not None and said["user"] == root for _, said in told)
    root.refresh_from_db()
    assert root.last_login is not None


@pytest.mark.parametrize("way", ["LoginView", "admin form"])
def test_a_refused_form_starts_nothing_and_is_recorded(way: str, superuser: AbstractUser):
    caller = browser()
    path = "/login/" if way == "LoginView" else "/admin/login/"
    caller.get(path)
    fields = {
        "username": superuser.get_username(),
        "password": "wrong",
        "csrfmiddlewaretoken": caller.client.cookies["csrftoken"].value,
    }
    assert caller.client.post(path, fields).status_code == 200
    assert not UserSession.objects.exists()
    assert AuditEvent.objects.latest("id").kind == "login.failed"


@pytest.mark.parametrize("path", ["/logout/", "/admin/logout/"])
def test_djangos_own_logout_ends_the_user_session(path: str, superuser: AbstractUser):
    caller = sign_in("session", superuser)
    key = caller.cookie
    assert caller.post(path).status_code in {200, 302}
    session = UserSession.objects.get()
    assert session.revoked_reason == "signed_out"
    assert AuditEvent.objects.get(kind="session.ended").actor_id == superuser.pk
    assert with_cookie(key).get("/api/open/").status_code == 401


def test_logout_by_a_link_is_refused(person: AbstractUser):
    caller = sign_in("session", person)
    assert caller.get("/logout/").status_code == 405
    assert caller.get("/auth/session/").json()["user"] is not None


def test_forms_and_api_share_one_list_of_devices(person: AbstractUser):
    for way in ("LoginView", "login() in a view", "our API"):
        enter(way, person)
    caller = sign_in("token", person)
    assert len(caller.get("/auth/sessions/").json()) == 4


def test_an_inactive_person_whom_a_package_signs_in_does_not_get_in():
    nobody: Any = make_person("nobody", is_active=False)
    client = Client()
    client.force_login(nobody)
    assert not UserSession.objects.exists()
    assert client.get("/api/closed/").status_code == 401
    assert client.get("/auth/session/").json() == {"user": None}


def test_a_session_store_without_a_request_is_no_business_of_ours(person: AbstractUser):
    """A worker that fills a session says nothing about a sign-in."""
    engine: Any = import_module(settings.SESSION_ENGINE)
    store = engine.SessionStore()
    store["basket"] = 1
    store.save()
    assert with_cookie(store.session_key).get("/plain/").json()["user"] is None
