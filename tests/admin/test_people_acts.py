"""What can be done to an account from its page: who may, what is asked before, what comes of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import authenticate, get_user_model
from django.core import mail
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from authkit import sessions, tokens
from authkit.access import acting
from authkit.accounts import addresses, care, link_keys, retired
from authkit.exceptions import KeyNotValid, NotPermitted
from authkit.models import AuditEvent, BearerToken, LinkKey, SignInName, Throttle, UserSession
from tests.admin.pages import grant, make_staff, signed_in
from tests.admin.people_pages import (
    CARERS,
    URLS,
    long_signed_in,
    make_carer,
    people_url,
    press,
    press_and_confirm,
    said,
)
from tests.people import PASSWORD, make_person, make_superuser

pytestmark = [pytest.mark.django_db, pytest.mark.urls(URLS)]

ACTS = (
    *("unlock", "send-reset-link", "resend-verification"),
    *("sign-out", "require-new-password", "deactivate"),
)
GRAVE = ACTS[3:]


@pytest.fixture
def uma() -> Any:
    """Somebody without power, who is signed in, has a token, and is locked out elsewhere."""
    uma = make_person("uma")
    lived(uma)
    return uma


def lived(person: Any) -> None:
    now = timezone.now()
    sessions.start(person, "jwt", now=now)
    tokens.issue_personal(person, name="theirs", now=now)
    for _ in range(5):
        request = RequestFactory().post("/", REMOTE_ADDR="192.0.2.1")
        authenticate(request, username=person.get_username(), password="wrong")


def state_of(person: Any) -> dict[str, Any]:
    fresh = get_user_model()._default_manager.get(pk=person.pk)
    return {
        "password": fresh.password,
        "is_active": fresh.is_active,
        "live sessions": UserSession.objects.filter(user=person, revoked_at=None).count(),
        "live tokens": BearerToken.objects.filter(user=person, revoked_at=None).count(),
        "lock-outs": Throttle.objects.filter(user_id=person.pk).count(),
        "keys": LinkKey.objects.filter(user=person).count(),
        "mails": len(mail.outbox),
    }


def gets_in(person: Any, password: str = PASSWORD, ip: str = "198.51.100.7") -> bool:
    request = RequestFactory().post("/", REMOTE_ADDR=ip)
    return authenticate(request, username=person.get_username(), password=password) is not None


# Who may not


@pytest.mark.parametrize("act", ACTS)
def test_nobody_does_anything_to_who_holds_more(uma, act):
    grant(uma, "delete_session", app_label="sessions")
    client, before = signed_in(make_carer()), state_of(uma)
    assert press_and_confirm(client, uma, act).status_code == 403
    assert state_of(uma) == before
    assert AuditEvent.objects.filter(kind="access.refused").exists()


@pytest.mark.parametrize("act", ACTS)
def test_a_superuser_is_out_of_reach(superuser, act):
    lived(superuser)
    client, before = signed_in(make_carer()), state_of(superuser)
    assert press_and_confirm(client, superuser, act).status_code == 403
    assert state_of(superuser) == before


@pytest.mark.parametrize("act", ACTS)
def test_who_may_only_look_does_nothing(uma, act):
    opts: Any = get_user_model()._meta
    clerk = make_staff("clerk", "view_usersession", "view_throttle")
    grant(clerk, "view_user", app_label=opts.app_label)
    client, before = signed_in(clerk), state_of(uma)
    assert 'class="ak-acts"' not in client.get(people_url("change", uma.pk)).text
    assert press_and_confirm(client, uma, act).status_code == 403
    assert state_of(uma) == before


@pytest.mark.parametrize("act", ACTS)
def test_who_may_not_see_people_does_nothing_to_them(uma, act):
    client, before = signed_in(make_staff("clerk", *CARERS)), state_of(uma)
    assert press_and_confirm(client, uma, act).status_code == 403
    assert state_of(uma) == before


@pytest.mark.parametrize("act", ACTS)
def test_strangers_and_links_do_nothing(superuser, uma, act):
    before = state_of(uma)
    assert press_and_confirm(Client(), uma, act).status_code == 302
    followed = signed_in(superuser).get(people_url("act", uma.pk, act))
    assert (followed.status_code, followed["Location"]) == (302, people_url("change", uma.pk))
    assert signed_in(superuser).put(people_url("act", uma.pk, act)).status_code == 405
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(superuser)
    assert press_and_confirm(forged, uma, act).status_code == 403
    assert state_of(uma) == before


@pytest.mark.parametrize("act", ACTS)
def test_a_personal_access_token_does_nothing(superuser, uma, act):
    token = tokens.issue_personal(superuser, name="script", now=timezone.now())
    client, before = Client(headers={"Authorization": f"Bearer {token.text}"}), state_of(uma)
    assert press_and_confirm(client, uma, act).status_code == 403
    assert state_of(uma) == before


@pytest.mark.parametrize("key", ["x", "0", "9" * 40, "00000000-0000-0000-0000-000000000000", "_00"])
def test_nothing_is_done_to_who_does_not_exist(superuser, key):
    client = signed_in(superuser)
    assert client.post(people_url("act", key, "deactivate")).status_code == 404
    assert client.post(people_url("act", superuser.pk, "explode")).status_code == 404


# What is asked before


@pytest.mark.parametrize("act", GRAVE)
def test_what_ends_something_is_asked_about_first(uma, act):
    client, before = signed_in(make_carer()), state_of(uma)
    response = press(client, uma, act)
    assert response.status_code == 200
    assert str(uma) in response.text
    assert "authkit_password" not in response.text  # who has just signed in
    assert state_of(uma) == before


@pytest.mark.parametrize("act", GRAVE)
def test_it_takes_a_recent_sign_in(uma, act):
    carer = make_carer()
    client, before = long_signed_in(carer), state_of(uma)
    for form in ({}, {"authkit_password": ""}, {"authkit_password": "wrong"}):
        response = press_and_confirm(client, uma, act, **form)
        assert "authkit_password" in response.text
        assert state_of(uma) == before
    response = press_and_confirm(client, uma, act, authkit_password=PASSWORD)
    assert response.status_code == 302
    assert state_of(uma) != before
    assert AuditEvent.objects.filter(kind="login.renewed", actor=carer.pk).exists()


def test_guesses_at_the_administrators_password_have_their_limit(uma):
    client = long_signed_in(make_carer())
    for _ in range(5):
        press_and_confirm(client, uma, "deactivate", authkit_password="guess")
    response = press_and_confirm(client, uma, "deactivate", authkit_password=PASSWORD)
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert state_of(uma)["is_active"]


def test_who_has_no_password_is_told_to_sign_in_again(uma):
    carer = make_carer()
    carer.set_unusable_password()
    carer.save()
    response = press_and_confirm(long_signed_in(carer), uma, "deactivate")
    assert "Please sign out and in again" in response.text
    assert state_of(uma)["is_active"]


@pytest.mark.parametrize("act", ["deactivate", "require-new-password"])
def test_nobody_shuts_themselves_out(superuser, act):
    client, before = signed_in(superuser), state_of(superuser)
    assert f"/act/{act}/" not in client.get(people_url("change", superuser.pk)).text
    press_and_confirm(client, superuser, act)
    assert state_of(superuser) == before


# What comes of it


@pytest.mark.parametrize("act", ACTS)
def test_it_is_written_down_who_did_what(uma, act):
    kinds = {
        "unlock": "lockout.ended",
        "send-reset-link": "password.reset_asked",
        "resend-verification": "email.verification_asked",
        "sign-out": "session.ended",
        "require-new-password": "password.new_required",
        "deactivate": "account.deactivated",
    }
    carer = make_carer()
    assert press_and_confirm(signed_in(carer), uma, act).status_code == 302
    event = AuditEvent.objects.filter(kind=kinds[act]).latest("id")
    assert (event.actor_id, event.subject) == (carer.pk, str(uma.pk))
    assert LogEntry.objects.filter(user_id=carer.pk, object_id=str(uma.pk)).exists()


def test_to_sign_out_ends_sessions_and_leaves_tokens(uma):
    response = press_and_confirm(signed_in(make_carer()), uma, "sign-out")
    assert said(response) == ["1 session was ended."]
    assert (state_of(uma)["live sessions"], state_of(uma)["live tokens"]) == (0, 1)


def test_to_deactivate_ends_everything_for_good(uma, settings):
    key = link_keys.issue("reset_password", uma, uma.email, now=timezone.now())
    press_and_confirm(signed_in(make_carer()), uma, "deactivate")
    assert not gets_in(uma)
    uma.refresh_from_db()
    uma.is_active = True
    uma.save()
    state = state_of(uma)
    assert (state["live sessions"], state["live tokens"]) == (0, 0)
    with pytest.raises(KeyNotValid):
        link_keys.look_up(key.text, "reset_password", now=timezone.now())
    assert gets_in(uma)


def test_to_unlock_lets_them_try_again_at_once(uma):
    assert not gets_in(uma, ip="192.0.2.1")
    response = press(signed_in(make_carer()), uma, "unlock")
    assert said(response) == ["1 lock-out was ended."]
    assert gets_in(uma, ip="192.0.2.1")


def test_a_reset_link_changes_nothing_until_it_is_used(uma, django_capture_on_commit_callbacks):
    client = signed_in(make_carer())
    with django_capture_on_commit_callbacks(execute=True):
        press(client, uma, "send-reset-link")
    assert [message.to for message in mail.outbox] == [[uma.email]]
    assert gets_in(uma)
    assert state_of(uma)["live sessions"] == 1


def test_links_to_one_address_have_their_limit(uma, settings):
    settings.AUTHKIT = {**settings.AUTHKIT, "LIMITS": {"mail": (1, 3600)}}
    client = signed_in(make_carer())
    press(client, uma, "send-reset-link")
    response = press(client, uma, "send-reset-link")
    assert "Too many attempts" in said(response)[-1]
    assert state_of(uma)["keys"] == 1


def test_the_link_that_confirms_an_address_is_sent_to_who_has_not(
    uma, django_capture_on_commit_callbacks
):
    client = signed_in(make_carer())
    with django_capture_on_commit_callbacks(execute=True):
        press(client, uma, "resend-verification")
    assert len(mail.outbox) == 1
    addresses.confirm(uma, uma.email, None)
    page = client.get(people_url("change", uma.pk)).text
    assert "resend-verification" not in page
    assert "e-mail address confirmed" in page
    before = state_of(uma)
    assert "cannot be done" in said(press(client, uma, "resend-verification"))[0]
    assert state_of(uma) == before


def test_an_account_written_past_the_model_is_sent_its_link_too(uma):
    SignInName.objects.filter(user=uma).delete()
    press(signed_in(make_carer()), uma, "resend-verification")
    assert SignInName.objects.filter(user=uma, kind="email").exists()


# Require a new password


def test_the_old_password_opens_no_door_and_no_answer_tells(uma):
    press_and_confirm(signed_in(make_carer()), uma, "require-new-password")
    state = state_of(uma)
    assert state["live sessions"] == 0
    assert not gets_in(uma)
    name, door = uma.get_username(), Client()
    answers = [
        door.post("/auth/jwt/", {"username": name, "password": each}, "application/json")
        for each in (PASSWORD, "never theirs")
    ]
    assert answers[0].status_code == 401
    assert answers[0].content == answers[1].content
    form = {"username": name, "password": PASSWORD}
    assert door.post(reverse("admin:login"), form).status_code == 200
    stored = get_user_model()._default_manager.get(pk=uma.pk)
    assert not stored.check_password(PASSWORD)  # whatever backend a project has besides


def test_tokens_and_links_from_before_are_over(uma):
    token = tokens.issue_personal(uma, name="script", now=timezone.now())
    key = link_keys.issue("reset_password", uma, uma.email, now=timezone.now())
    press_and_confirm(signed_in(make_carer()), uma, "require-new-password")
    holder = Client(headers={"Authorization": f"Bearer {token.text}"})
    assert holder.get("/auth/me/").status_code == 401
    with pytest.raises(KeyNotValid):
        link_keys.look_up(key.text, "reset_password", now=timezone.now())


def test_the_way_back_is_by_mail_now_or_later(uma, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        press_and_confirm(signed_in(make_carer()), uma, "require-new-password")
    assert len(mail.outbox) == 1
    with django_capture_on_commit_callbacks(execute=True):
        asked = Client().post("/auth/password/reset/", {"email": uma.email}, "application/json")
    assert asked.status_code == 204
    key = str(mail.outbox[-1].body).split("key=")[1].split()[0]
    form = {"key": key, "new_password": "something else entirely"}
    done = Client().post("/auth/password/reset/confirm/", form, "application/json")
    assert done.status_code == 204
    uma.refresh_from_db()
    assert gets_in(uma, "something else entirely")


def set_anew(key: str, password: str) -> Any:
    form = {"key": key, "new_password": password}
    return Client().post("/auth/password/reset/confirm/", form, "application/json")


@pytest.mark.parametrize("how_often", [1, 2])
def test_the_old_password_is_not_taken_again(uma, how_often, django_capture_on_commit_callbacks):
    client = signed_in(make_carer())
    for _ in range(how_often):
        with django_capture_on_commit_callbacks(execute=True):
            press_and_confirm(client, uma, "require-new-password")
    for viewer in (client, signed_in(make_superuser())):
        page = viewer.get(people_url("change", uma.pk)).text
        assert "has to set a new password" in page
        assert "Invalid password format" not in page
    assert "A new password is required." in page  # for who may set one
    first, last = (str(mail.outbox[at].body).split("key=")[1].split()[0] for at in (0, -1))
    if how_often == 2:
        assert set_anew(first, "something else entirely").json()["code"] == "key_not_valid"
    refused = set_anew(last, PASSWORD)
    assert refused.status_code == 400
    assert "ended this password" in refused.json()["new_password"][0]
    assert not gets_in(uma)
    assert set_anew(last, "something else entirely").status_code == 204
    assert gets_in(uma, "something else entirely")
    assert not gets_in(uma)
    assert "has to set a new" not in client.get(people_url("change", uma.pk)).text


def test_the_password_that_is_ended_is_the_one_they_have(uma, rf):
    """Also if they change it while the administrator looks at their page."""
    seen = type(uma)._default_manager.get(pk=uma.pk)
    uma.set_password("what she took a moment ago")
    uma.save()
    care.require_new_password(seen, actor=make_carer(), request=rf.post("/"))
    uma.refresh_from_db()
    assert retired.is_the_old_one(uma, "what she took a moment ago")
    seen.set_unusable_password()
    seen.save()
    with pytest.raises(NotPermitted):
        care.require_new_password(uma, actor=make_carer("other"), request=rf.post("/"))
    seen.refresh_from_db()
    assert not seen.has_usable_password()


@pytest.mark.parametrize("encoded", ["md5$$abc", "argon2$x", "md5$x", "gibberish"])
def test_a_hash_that_nobody_reads_any_more_keeps_nobody_out(
    uma, encoded, django_capture_on_commit_callbacks
):
    type(uma)._default_manager.filter(pk=uma.pk).update(password=encoded)
    with django_capture_on_commit_callbacks(execute=True):
        press_and_confirm(signed_in(make_carer()), uma, "require-new-password")
    key = str(mail.outbox[-1].body).split("key=")[1].split()[0]
    assert set_anew(key, "something else entirely").status_code == 204
    assert gets_in(uma, "something else entirely")


def test_whose_own_password_was_ended_is_not_asked_for_it(uma):
    """They came in by another way, and prove by it that it is them."""
    carer = make_carer()
    ended = retired.retire(carer)
    with acting.as_system():
        type(carer)._default_manager.filter(pk=carer.pk).update(password=ended)
    carer.refresh_from_db()
    client = long_signed_in(carer)
    page = press(client, uma, "sign-out").text
    assert "authkit_password" not in page
    assert "Please sign out and in again" in page


def test_where_there_is_no_room_for_the_old_hash_it_goes(uma):
    field: Any = get_user_model()._meta.get_field("password")
    uma.password = "x" * field.max_length
    assert len(retired.retire(uma)) <= field.max_length
    assert not retired.is_retired(type(uma)(password=retired.retire(uma)))


@pytest.mark.default_user_only  # elsewhere people have no other name
def test_without_an_address_it_is_done_and_said(uma):
    get_user_model()._default_manager.filter(pk=uma.pk).update(email="")
    response = press_and_confirm(signed_in(make_carer()), uma, "require-new-password")
    assert "No link was sent" in said(response)[-1]
    assert not gets_in(uma)


def test_too_many_mails_are_no_reason_to_leave_the_old_password(uma, settings):
    settings.AUTHKIT = {**settings.AUTHKIT, "LIMITS": {"mail": (1, 3600)}}
    client = signed_in(make_carer())
    press(client, uma, "send-reset-link")
    response = press_and_confirm(client, uma, "require-new-password")
    assert "No link was sent" in said(response)[-1]
    assert not gets_in(uma)


def test_where_there_is_no_password_there_is_none_to_require(uma):
    uma.set_unusable_password()
    uma.save()
    client = signed_in(make_carer())
    assert "require-new-password" not in client.get(people_url("change", uma.pk)).text
    assert "cannot be done" in said(press_and_confirm(client, uma, "require-new-password"))[0]
    uma.refresh_from_db()
    assert not uma.has_usable_password()


@pytest.mark.parametrize("act", ["deactivate", "require-new-password", "send-reset-link"])
def test_a_projects_own_rule_about_single_people_binds_the_buttons(act):
    """Its `has_change_permission(request, obj)`, for one and for many."""
    theirs, ours = make_person("theirs"), make_person("ours")
    opts = get_user_model()._meta
    url = f"/departments/{opts.app_label}/{opts.model_name}/"
    client = signed_in(make_carer())
    page = client.get(f"{url}{theirs.pk}/change/").text
    assert f"/act/{act}/" not in page
    assert client.post(f"{url}{theirs.pk}/act/{act}/", {"authkit_answer": "yes"}).status_code == 403
    assert client.post(f"{url}{ours.pk}/act/{act}/", {"authkit_answer": "yes"}).status_code == 302
    both = {"action": "deactivate_people", "_selected_action": [theirs.pk, ours.pk], "index": "0"}
    assert client.post(url, {**both, "authkit_answer": "yes"}).status_code == 403
    theirs.refresh_from_db()
    assert theirs.is_active
    assert theirs.check_password(PASSWORD)
