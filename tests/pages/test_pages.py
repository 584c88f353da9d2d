"""The pages over HTTP: what they do, and what they tell caches, browsers and strangers."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import Client, override_settings

from authkit.accounts import addresses, invitations
from authkit.models import BearerToken, UserSession
from tests.accounts import mailbox
from tests.api.callers import Caller, personal
from tests.api.callers import sign_in as sign_in_over_api
from tests.api.test_register import GOOD, HAS_USERNAMES
from tests.api.world import Clock, start_process
from tests.people import PASSWORD

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = [pytest.mark.urls("tests.pages.urls"), pytest.mark.django_db(transaction=True)]

OPEN = ["sign-in/", "sign-up/", "resend/", "forgot/", "verify/", "reset/"]
CLOSED = ["", "password/", "email/", "devices/", "tokens/", "close/", "reauthenticate/"]


@pytest.fixture(autouse=True)
def new_process() -> None:
    start_process()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Visitor:
    """A browser without JavaScript: it follows forms and keeps cookies."""

    def __init__(self) -> None:
        self.client = Client(enforce_csrf_checks=True)
        self.page: Any = None

    def open(self, path: str) -> Any:
        self.page = self.client.get(path, follow=True, headers={"Accept": "text/html"})
        return self.page

    def send(self, path: str, /, **fields: str) -> Any:
        """Fill the form of the page that is open in, and follow where it leads."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.text)
        data = {**fields, "csrfmiddlewaretoken": token[1] if token else ""}
        self.page = self.client.post(path, data, follow=True)
        return self.page

    @property
    def text(self) -> str:
        return html.unescape(self.page.text)

    @property
    def path(self) -> str:
        return str(self.page.request["PATH_INFO"])


def sign_in(person: AbstractUser, password: str = PASSWORD, **more: str) -> Visitor:
    visitor = Visitor()
    visitor.open("/account/sign-in/")
    visitor.send("/account/sign-in/", username=person.get_username(), password=password, **more)
    return visitor


def stored(person: Any) -> Any:
    return get_user_model()._default_manager.get(pk=person.pk)


def test_signing_in_leads_to_ones_account_and_signing_out_away(person: AbstractUser):
    visitor = sign_in(person)
    assert visitor.path == "/account/"
    assert person.get_username() in visitor.text
    visitor.send("/account/sign-out/")
    assert visitor.path == "/account/sign-in/"
    assert UserSession.objects.get().revoked_reason == "signed_out"
    assert visitor.open("/account/devices/").request["PATH_INFO"] == "/account/sign-in/"


def test_signing_out_asks_the_browser_to_forget(person: AbstractUser):
    visitor = sign_in(person)
    token = visitor.client.cookies[settings.CSRF_COOKIE_NAME].value
    answer = visitor.client.post("/account/sign-out/", headers={"X-CSRFToken": token})
    assert answer["Clear-Site-Data"] == '"cache", "cookies", "storage"'


def test_one_can_sign_in_with_the_address_in_any_case(person: AbstractUser):
    visitor = Visitor()
    visitor.open("/account/sign-in/")
    visitor.send("/account/sign-in/", username=person.email.upper(), password=PASSWORD)
    assert visitor.path == "/account/"


@pytest.mark.parametrize("name", ["ada", "nobody", "inactive"])
def test_whoever_is_refused_reads_the_same(name: str, make_person: Any):
    make_person("ada")
    make_person("inactive", is_active=False)
    visitor = Visitor()
    visitor.open("/account/sign-in/")
    visitor.send("/account/sign-in/", username=f"{name}@example.com", password="wrong")
    assert "No active account was found with these credentials." in visitor.text
    assert visitor.page.status_code == 200


def test_login_url_may_point_to_the_page(person: AbstractUser):
    with override_settings(LOGIN_URL="authkit_pages:sign_in"):
        visitor = Visitor()
        visitor.open("/members/")
        assert visitor.path == "/account/sign-in/"
        visitor.send("/account/sign-in/?next=/members/", username=person.email, password=PASSWORD)
        assert visitor.text == f"for {person.get_username()}"


@pytest.mark.parametrize(
    "next_page",
    ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"],
)
def test_next_leads_nowhere_else(next_page: str, person: AbstractUser):
    visitor = sign_in(person, next=next_page)
    assert visitor.path == "/account/"
    page = visitor.open(f"/account/reauthenticate/?next={next_page}")
    assert "evil" not in page.text
    assert "alert" not in page.text
    visitor.send(f"/account/reauthenticate/?next={next_page}", password=PASSWORD)
    assert visitor.path == "/account/"


def test_a_form_without_its_csrf_token_does_nothing(person: AbstractUser):
    visitor = sign_in(person)
    for path in (*OPEN, *CLOSED, "sign-out/", "verify/x/", "reset/x/"):
        assert visitor.client.post(f"/account/{path}", {}).status_code == 403, path


@pytest.mark.parametrize("path", [*OPEN, "sent/", *CLOSED])
def test_no_page_is_kept_framed_or_told_about(path: str, person: AbstractUser):
    visitor = sign_in(person)
    page = visitor.open(f"/account/{path}")
    assert page.status_code == 200
    assert page["Cache-Control"] == "no-store"
    assert page["Referrer-Policy"] == "same-origin"
    assert page["X-Frame-Options"] == "DENY"
    assert "<script" not in page.text
    assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", page.text)


@pytest.mark.parametrize("page", ["verify", "reset"])
def test_a_key_leaves_the_address_bar_at_once(page: str):
    key = "k" * 43
    visitor = Visitor()
    answer = visitor.client.get(f"/account/{page}/{key}/")
    assert (answer.status_code, answer["Location"]) == (302, f"/account/{page}/")
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    cookie = answer.cookies[f"authkit_{page}"]
    assert (cookie.value, cookie["path"], cookie["samesite"]) == (key, f"/account/{page}/", "Lax")
    assert cookie["httponly"]
    assert key not in visitor.open(f"/account/{page}/").text


@pytest.mark.parametrize("path", CLOSED)
def test_strangers_and_programs_have_no_account_pages(path: str, person: AbstractUser):
    assert Visitor().open(f"/account/{path}").request["PATH_INFO"] == "/account/sign-in/"
    for caller in (sign_in_over_api("token", person), personal(person)):
        assert caller.get(f"/account/{path}").status_code == 403
        assert caller.post(f"/account/{path}", b"").status_code == 403


def test_signing_up_confirming_and_signing_in():
    visitor = Visitor()
    visitor.open("/account/sign-up/")
    fields = {"email": "Carol@example.com", "password": GOOD}
    if HAS_USERNAMES:
        fields["username"] = "carol"
    visitor.send("/account/sign-up/", **fields)
    assert visitor.path == "/account/sent/"
    key = mailbox.key_to("carol@example.com")
    assert f"http://testserver/account/verify/{key}/" in mailbox.last_to("carol@example.com").body
    carol = get_user_model()._default_manager.get()
    visitor.open(f"/account/verify/{key}/")
    assert not addresses.is_verified(carol)
    visitor.send("/account/verify/")
    assert "The address is confirmed." in visitor.text
    assert not visitor.client.cookies["authkit_verify"].value
    assert addresses.is_verified(carol)
    assert sign_in(carol, GOOD).path == "/account/"
    again = Visitor()
    again.open(f"/account/verify/{key}/")
    again.send("/account/verify/")
    assert "This link is not valid." in again.text


def test_what_is_wrong_stands_beside_its_field_and_is_tied_to_it(person: AbstractUser):
    visitor = Visitor()
    visitor.open("/account/sign-up/")
    fields = {"email": "x@example.com", "password": "password1", "username": "carol"}
    visitor.send("/account/sign-up/", **fields)
    [tag] = re.findall(r'<input[^>]*name="password"[^>]*>', visitor.page.text)
    assert 'aria-invalid="true"' in tag
    [ids] = re.findall(r'aria-describedby="([^"]*)"', tag)
    for one in ids.split():
        assert f'id="{one}"' in visitor.page.text
    assert "too common" in visitor.text
    assert 'value="password1"' not in visitor.page.text


def test_all_that_is_wrong_is_said_at_once():
    visitor = Visitor()
    visitor.open("/account/sign-up/")
    visitor.send("/account/sign-up/", username="a@b", email="nonsense", password="short")
    assert "Enter a valid e-mail address." in visitor.text
    assert "This password is too short" in visitor.text
    assert ("Take a name without" in visitor.text) is HAS_USERNAMES


@override_settings(AUTHKIT={"REFUSAL_TIME": 0, "REGISTRATION": "closed"})
def test_where_registration_is_closed_nothing_leads_there():
    visitor = Visitor()
    assert "sign-up" not in visitor.open("/account/sign-in/").text
    assert "Registration is closed." in visitor.open("/account/sign-up/").text


@override_settings(AUTHKIT={"REFUSAL_TIME": 0, "REGISTRATION": "invitation"})
def test_who_is_not_invited_is_given_no_form_to_fill_in(rf):
    visitor = Visitor()
    assert "sign-up" not in visitor.open("/account/sign-in/").text
    page = visitor.open("/account/sign-up/").text
    assert "by invitation" in page
    assert 'name="password"' not in page
    _invitation, link = invitations.invite("ina@example.com", actor=None, request=rf.get("/"))
    path, key = link.partition("testserver")[2], link.partition("invitation=")[2]
    visitor.open(path)
    visitor.send(path, username="ina", email="nonsense", password="short", invitation=key)
    assert "Enter a valid e-mail address." in visitor.text
    form = {"username": "ina", "email": "ina@example.com", "password": GOOD}
    visitor.send(path, **form, invitation=key)
    assert get_user_model()._default_manager.filter(email="ina@example.com").exists()


def test_a_forgotten_password_is_set_anew(person: AbstractUser):
    visitor, elsewhere = Visitor(), sign_in(person)
    visitor.open("/account/forgot/")
    visitor.send("/account/forgot/", email="nobody@example.com")
    nobody = visitor.text
    visitor.open("/account/forgot/")
    visitor.send("/account/forgot/", email=person.email)
    assert re.sub(r'value="\w+"', "", visitor.text) == re.sub(r'value="\w+"', "", nobody)
    path = f"/account/reset/{mailbox.key_to(person.email)}/"
    visitor.open(path)
    visitor.send("/account/reset/", new_password="short")
    assert "at least 8 characters" in visitor.text
    visitor.send("/account/reset/", new_password=GOOD)
    assert "Your new password is set." in visitor.text
    assert "This link is not valid." in html.unescape(visitor.open(path).text)
    assert elsewhere.open("/account/").request["PATH_INFO"] == "/account/sign-in/"
    assert settings.SESSION_COOKIE_NAME not in visitor.client.cookies
    assert sign_in(person, GOOD).path == "/account/"


def test_a_profile_is_edited_and_nothing_else(person: AbstractUser):
    visitor = sign_in(person)
    visitor.send("/account/", first_name="Ada", is_superuser="on", email="x@y.z")
    if HAS_USERNAMES:
        assert "Your profile is saved." in visitor.text
        assert stored(person).first_name == "Ada"
    assert not stored(person).is_superuser
    assert stored(person).email == person.email


def test_a_password_is_changed_and_this_device_stays(person: AbstractUser):
    visitor, other = sign_in(person), sign_in(person)
    visitor.open("/account/password/")
    visitor.send("/account/password/", old_password="wrong", new_password=GOOD)
    assert "This is not your password." in visitor.text
    old_key = visitor.client.cookies[settings.SESSION_COOKIE_NAME].value
    visitor.send("/account/password/", old_password=PASSWORD, new_password=GOOD)
    assert "Your password is changed." in visitor.text
    assert visitor.client.cookies[settings.SESSION_COOKIE_NAME].value != old_key
    assert other.open("/account/").request["PATH_INFO"] == "/account/sign-in/"


def test_an_address_is_changed_with_the_password(person: AbstractUser):
    visitor = sign_in(person)
    visitor.open("/account/email/")
    visitor.send("/account/email/", email="new@example.com", password="wrong")
    assert "This is not your password." in visitor.text
    visitor.send("/account/email/", email="new@example.com", password=PASSWORD)
    assert "Nothing changes until then." in visitor.text
    path = f"/account/verify/{mailbox.key_to('new@example.com')}/"
    visitor.open(path)
    visitor.send("/account/verify/")
    assert stored(person).email == "new@example.com"
    page = visitor.open("/account/")
    assert "new@example.com" in page.text
    assert "not confirmed" not in page.text


def test_the_link_can_be_had_again(person: AbstractUser):
    visitor = sign_in(person)
    assert "not confirmed" in visitor.text
    visitor.send("/account/confirm/")
    assert "We have sent you the link again." in visitor.text
    assert len(mailbox.to(person.email)) == 1


def test_devices_are_signed_out_one_by_one_or_all_others(person: AbstractUser, make_person: Any):
    visitor, other = sign_in(person), sign_in(person)
    token = sign_in_over_api("token", person)
    stranger = sign_in_over_api("token", make_person("bob"))
    visitor.open("/account/devices/")
    assert visitor.text.count('name="device"') == 4
    assert visitor.send("/account/devices/", device=stranger.session_id).status_code == 404
    visitor.open("/account/devices/")
    assert visitor.send("/account/devices/", device="nonsense").status_code == 404
    visitor.open("/account/devices/")
    visitor.send("/account/devices/", device=token.session_id)
    assert "The device is signed out." in visitor.text
    assert token.get("/auth/me/").status_code == 401
    visitor.send("/account/devices/", device="others")
    assert other.open("/account/").request["PATH_INFO"] == "/account/sign-in/"
    own = UserSession.objects.get(user_id=person.pk, revoked_at=None)
    visitor.send("/account/devices/", device=str(own.pk))
    assert visitor.path == "/account/sign-in/"
    assert stranger.get("/auth/me/").status_code == 200


def test_a_device_is_called_by_a_short_name_and_a_made_up_one_is_text(person: AbstractUser):
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    odd = "\"><script>alert(1)</script>'"
    for user_agent in (firefox, odd):
        client = Client(headers={"User-Agent": user_agent})
        given = {"username": person.get_username(), "password": PASSWORD}
        assert client.post("/auth/token/", given, "application/json").status_code == 200
    visitor = sign_in(person)
    page = visitor.open("/account/devices/").text
    assert f'<span title="{firefox}">Firefox, Linux</span>' in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_token_is_made_shown_once_and_revoked(person: AbstractUser, clock: Clock):
    visitor = sign_in(person)
    visitor.open("/account/tokens/")
    visitor.send("/account/tokens/", name="a script", days="30", scopes="not a scope")
    assert "scopes_problem" in visitor.text
    visitor.send("/account/tokens/", name="a script", days="30", scopes="")
    [text] = re.findall(r"ak_\w{63}", visitor.text)
    assert Caller(f"Bearer {text}").get("/auth/me/").status_code == 200
    assert text not in visitor.open("/account/tokens/").text
    visitor.send("/account/tokens/", revoke=BearerToken.objects.get().pk)
    assert Caller(f"Bearer {text}").get("/auth/me/").status_code == 401
    assert visitor.send("/account/tokens/", revoke="0" * 16).status_code == 404
    clock.advance(minutes=16)
    visitor.open("/account/tokens/")
    assert "password again" in visitor.text
    visitor.send("/account/tokens/", name="another", days="30", scopes="")
    assert visitor.path == "/account/reauthenticate/"
    visitor.send("/account/reauthenticate/?next=/account/tokens/", password=PASSWORD)
    assert visitor.path == "/account/tokens/"
    visitor.send("/account/tokens/", name="another", days="30", scopes="")
    assert re.search(r"ak_\w{63}", visitor.text)


def test_an_account_is_closed_with_the_password(person: AbstractUser):
    visitor = sign_in(person)
    visitor.open("/account/close/")
    visitor.send("/account/close/", password="wrong")
    assert stored(person).is_active
    visitor.send("/account/close/", password=PASSWORD)
    assert visitor.path == "/account/sign-in/"
    assert not stored(person).is_active
    assert "closed" in mail.outbox[-1].subject


def come_through_others(person: Any) -> Visitor:
    """Somebody who has no password, as after a sign-in through a provider."""
    person.set_unusable_password()
    person.save()
    visitor = Visitor()
    visitor.client.force_login(person, "authkit.backends.AuthkitBackend")
    return visitor


def test_whoever_has_no_password_changes_their_address_and_closes_their_account(
    person: AbstractUser,
):
    visitor = come_through_others(person)
    assert 'type="password"' not in visitor.open("/account/email/").text
    visitor.send("/account/email/", email="new@example.com")
    assert "Nothing changes until then." in visitor.text
    assert 'type="password"' not in visitor.open("/account/close/").text
    visitor.send("/account/close/")
    assert visitor.path == "/account/sign-in/"
    assert not stored(person).is_active


@pytest.mark.parametrize("page", ["email/", "close/", "reauthenticate/"])
def test_whoever_has_no_password_signs_in_again_when_the_last_time_is_long_ago(
    page: str, person: AbstractUser, clock: Clock
):
    visitor = come_through_others(person)
    clock.advance(minutes=16)
    visitor.open(f"/account/{page}")
    visitor.send(f"/account/{page}", email="new@example.com")
    assert visitor.path == f"/account/{page}"
    assert "sign in again" in visitor.text
    assert stored(person).is_active
    assert mail.outbox == []


def test_one_template_themes_all_pages(person: AbstractUser, tmp_path: Any):
    theme = tmp_path / "authkit" / "pages"
    theme.mkdir(parents=True)
    (theme / "base.html").write_text("Ours: {{ title }} {% block content %}{% endblock %}")
    templates = [{**settings.TEMPLATES[0], "DIRS": [str(tmp_path)]}]
    with override_settings(TEMPLATES=templates):
        for path in OPEN:
            page = Visitor().open(f"/account/{path}").text
            assert "Ours" in page
            assert "pages.css" not in page
