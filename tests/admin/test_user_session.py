"""Administrators see everybody's sign-ins and end them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from authkit import sessions, tokens
from authkit.models import AuditEvent, UserSession
from authkit.testing import Kind, client_for
from tests.admin.pages import act, make_staff, press, signed_in, url
from tests.people import make_person

pytestmark = pytest.mark.django_db

KINDS: list[Kind] = ["session", "token", "jwt"]
BROWSER = {"Accept": "text/html"}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def gets_in(client: Client) -> bool:
    status = client.get("/auth/me/").status_code
    assert status in {200, 401}
    return status == 200


@pytest.mark.parametrize("kind", KINDS)
def test_the_button_ends_a_session_and_its_credential_dies(person, superuser, kind):
    client = client_for(person, kind)
    assert gets_in(client)
    session = UserSession.objects.get(user=person)
    response = press(signed_in(superuser), session, "end_sessions")
    assert response.headers["Location"] == url(UserSession, "change", session.pk)
    assert not gets_in(client)


def test_the_action_ends_the_selected_sessions_and_no_other(person, superuser):
    clients = {kind: client_for(person, kind) for kind in KINDS}
    selected = list(UserSession.objects.filter(user=person).exclude(kind="jwt"))
    response = act(signed_in(superuser), UserSession, "end_sessions", selected)
    assert response.status_code == 302
    assert {kind: gets_in(client) for kind, client in clients.items()} == {
        "session": False,
        "token": False,
        "jwt": True,
    }


@pytest.mark.parametrize("door", ["button", "action"])
def test_all_sessions_of_a_person_can_be_ended_from_one(person, superuser, door):
    clients = [client_for(person, kind) for kind in KINDS]
    bystander = client_for(make_person("bob"), "token")
    session = UserSession.objects.get(user=person, kind="jwt")
    admin = signed_in(superuser)
    if door == "button":
        press(admin, session, "end_all_of_people")
    else:
        act(admin, UserSession, "end_all_of_people", [session])
    assert [gets_in(client) for client in clients] == [False, False, False]
    assert gets_in(bystander)


def test_personal_access_tokens_outlive_the_end_of_all_sessions(person, superuser):
    token = tokens.issue_personal(person, name="backup", now=timezone.now())
    session = sessions.start(person, "jwt", now=timezone.now())
    press(signed_in(superuser), session, "end_all_of_people")
    assert gets_in(Client(headers={"Authorization": f"Bearer {token.text}"}))


def test_whoever_ends_their_own_session_is_signed_out(superuser):
    client = signed_in(superuser)
    press(client, UserSession.objects.get(user=superuser), "end_sessions")
    page = client.get(url(UserSession, "changelist"), follow=True, headers=BROWSER)
    assert page.request["PATH_INFO"] == "/admin/login/"


def test_who_ended_what_is_audited_and_logged(person, superuser):
    session = sessions.start(person, "token", now=timezone.now())
    press(signed_in(superuser), session, "end_sessions")
    event = AuditEvent.objects.get(kind="session.ended")
    assert (event.actor, event.subject) == (superuser, str(person.pk))
    assert (event.session_id, event.ip) == (session.pk, "127.0.0.1")
    assert event.data == {"reason": "ended_by_administrator"}
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (superuser, str(session.pk))


def test_ending_what_has_ended_changes_nothing_and_says_so(person, superuser):
    session = sessions.start(person, "token", now=timezone.now())
    sessions.end([session.pk], reason="signed_out", now=timezone.now())
    before = UserSession.objects.values().get()
    client = signed_in(superuser)
    press(client, session, "end_sessions")
    assert UserSession.objects.filter(user=person).values().get() == before
    assert "All of it had ended before." in client.get(url(UserSession, "changelist")).text
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("method", ["get", "put", "delete", "head"])
def test_a_button_takes_a_post(person, superuser, method):
    session = sessions.start(person, "token", now=timezone.now())
    button = url(UserSession, "press", session.pk, "end_sessions")
    assert getattr(signed_in(superuser), method)(button).status_code == 405
    assert UserSession.objects.get(pk=session.pk).revoked_at is None


def test_a_button_takes_a_csrf_token(person, superuser):
    session = sessions.start(person, "token", now=timezone.now())
    client = Client(enforce_csrf_checks=True)
    client.force_login(superuser)
    assert press(client, session, "end_sessions").status_code == 403
    assert UserSession.objects.get(pk=session.pk).revoked_at is None


@pytest.mark.parametrize("name", ["delete_selected", "save_model", "get_urls", "nothing"])
def test_only_what_is_a_button_can_be_pressed(person, superuser, name):
    session = sessions.start(person, "token", now=timezone.now())
    assert press(signed_in(superuser), session, name).status_code == 403


def test_pressing_for_a_session_that_is_not_there_is_not_found(superuser):
    client = signed_in(superuser)
    for key in ("x", "00000000-0000-0000-0000-000000000000"):
        assert client.post(url(UserSession, "press", key, "end_sessions")).status_code == 404


def test_staff_who_may_only_look_have_no_buttons(person):
    session = sessions.start(person, "token", now=timezone.now())
    viewer = signed_in(make_staff("viewer", "view_usersession"))
    page = viewer.get(url(UserSession, "change", session.pk)).text
    assert "End this session" not in page
    assert "Events of this session" not in page
    assert press(viewer, session, "end_sessions").status_code == 403
    act(viewer, UserSession, "end_sessions", [session])
    assert UserSession.objects.get(pk=session.pk).revoked_at is None


def test_a_help_desk_ends_the_sessions_of_ordinary_people(person):
    client = client_for(person, "jwt")
    desk = signed_in(make_staff())
    session = UserSession.objects.get(user=person)
    assert "End this session" in desk.get(url(UserSession, "change", session.pk)).text
    press(desk, session, "end_sessions")
    assert not gets_in(client)


def test_people_are_found_by_what_they_are_known_by(person, superuser):
    sessions.start(person, "token", now=timezone.now())
    sessions.start(make_person("bob"), "token", now=timezone.now())
    client = signed_in(superuser)
    for query in (person.get_username(), "ADA@example"):
        rows = client.get(url(UserSession, "changelist"), {"q": query}).context["cl"].result_list
        assert {row.user for row in rows} == {person}


def test_the_list_tells_live_from_ended_from_expired(person, superuser):
    now = timezone.now()
    live = sessions.start(person, "jwt", now=now)
    ended = sessions.start(person, "jwt", now=now)
    sessions.end([ended.pk], reason="signed_out", now=now)
    expired = sessions.start(person, "jwt", now=now - timedelta(days=100))
    client = signed_in(superuser)
    for state, session in (("live", live), ("ended", ended), ("expired", expired)):
        page = client.get(url(UserSession, "changelist"), {"state": state, "kind__exact": "jwt"})
        assert [row.pk for row in page.context["cl"].result_list] == [session.pk], state


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("token_reused", "a refresh token was used twice"),
        ("ended_by_administrator", "ended by an administrator"),
        ("some_code_of_a_project", "some_code_of_a_project"),
    ],
)
def test_an_ended_session_stays_visible_and_says_why(person, superuser, reason, words):
    session = sessions.start(person, "jwt", now=timezone.now())
    sessions.end([session.pk], reason=reason, now=timezone.now())
    client = signed_in(superuser)
    assert words in client.get(url(UserSession, "changelist")).text
    assert words in client.get(url(UserSession, "change", session.pk)).text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"password": "another"}, "the password was changed"),
        ({"is_active": False}, "the account is deactivated"),
    ],
)
def test_a_session_that_no_longer_counts_is_not_shown_as_live(person, superuser, changed, words):
    session = sessions.start(person, "jwt", now=timezone.now())
    get_user_model().objects.filter(pk=person.pk).update(**changed)
    page = signed_in(superuser).get(url(UserSession, "change", session.pk)).text
    assert words in page


def test_a_device_is_named_in_words(person, superuser):
    UserSession.objects.filter(pk=sessions.start(person, "jwt", now=timezone.now()).pk).update(
        user_agent=FIREFOX
    )
    page = signed_in(superuser).get(url(UserSession, "changelist")).text
    assert "Firefox, Linux" in page


def test_markup_in_a_user_agent_stays_text(person, superuser):
    session = sessions.start(person, "jwt", now=timezone.now())
    UserSession.objects.filter(pk=session.pk).update(user_agent="<b>x</b>")
    page = signed_in(superuser).get(url(UserSession, "change", session.pk)).text
    assert "&lt;b&gt;x" in page
    assert "<b>x" not in page


def test_a_session_leads_to_its_audit_events(person, superuser):
    client_for(person, "jwt")
    session = UserSession.objects.get(user=person)
    client = signed_in(superuser)
    links = client.get(url(UserSession, "change", session.pk)).context["authkit_links"]
    assert [link.text for link in links] == ["Events of this session", "Events of this person"]
    for link in links:
        events = client.get(link.url).context["cl"].result_list
        assert {event.session_id for event in events} == {session.pk}
