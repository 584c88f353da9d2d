"""From where a request comes, as far as that can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.test import override_settings

from authkit.models import AuditEvent, UserSession
from tests.api.callers import stranger
from tests.people import PASSWORD

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = pytest.mark.django_db

PROXY, OTHER_PROXY, CLIENT, LIAR = "10.0.0.1", "10.0.0.2", "203.0.113.5", "198.51.100.66"


def noted(person: AbstractUser, peer: Any, forwarded: str | None, **headers: str) -> str | None:
    """The address under which a sign-in is noted, in the session and in the audit."""
    given = {**headers} if forwarded is None else {"X-Forwarded-For": forwarded, **headers}
    body = {"username": person.get_username(), "password": PASSWORD}
    response = stranger().post("/auth/token/", body, headers=given, REMOTE_ADDR=peer)
    assert response.status_code == 200, response.content
    session = UserSession.objects.latest("created_at")
    assert AuditEvent.objects.latest("id").ip == session.ip
    return session.ip


@pytest.mark.parametrize("forwarded", [LIAR, f"{LIAR}, {CLIENT}", "", "nonsense", "127.0.0.1"])
def test_x_forwarded_for_is_not_believed_of_anybody(forwarded: str, person: AbstractUser):
    assert noted(person, CLIENT, forwarded) == CLIENT
    with override_settings(AUTHKIT={"TRUSTED_PROXIES": [PROXY]}):
        assert noted(person, CLIENT, forwarded) == CLIENT


def test_other_headers_are_never_believed(person: AbstractUser):
    headers = {
        "X-Real-IP": LIAR,
        "Forwarded": f"for={LIAR}",
        "Client-IP": LIAR,
        "True-Client-IP": LIAR,
        "CF-Connecting-IP": LIAR,
        "X-Forwarded": LIAR,
        "X-Client-IP": LIAR,
    }
    assert noted(person, CLIENT, None, **headers) == CLIENT
    with override_settings(AUTHKIT={"TRUSTED_PROXIES": [PROXY]}):
        assert noted(person, PROXY, None, **headers) == PROXY


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        (CLIENT, CLIENT),
        (f"{LIAR}, {CLIENT}", CLIENT),
        (f"{LIAR},{CLIENT},{OTHER_PROXY}", CLIENT),
        (f"{LIAR}, {CLIENT}, {OTHER_PROXY}, {PROXY}", CLIENT),
        (f"  {CLIENT}\t", CLIENT),
        ("", PROXY),
        ("nonsense", PROXY),
        (f"{CLIENT}, nonsense", PROXY),
        (f"{CLIENT}, nonsense, {OTHER_PROXY}", OTHER_PROXY),
        (f"{CLIENT}:4711", PROXY),
        (f"{CLIENT}, ", PROXY),
        (",,,", PROXY),
        (OTHER_PROXY, OTHER_PROXY),
        ("2001:db8::5", "2001:db8::5"),
        ("2001:DB8:0:0::5", "2001:db8::5"),
        ("[2001:db8::5]", PROXY),
        ("::ffff:203.0.113.5", CLIENT),
        ("fe80::1%eth0", "fe80::1"),
        ("0x7f.1", PROXY),
        ("203.0.113", PROXY),
        ("1" * 5000, PROXY),
        (", ".join([LIAR] * 2_000 + [CLIENT]), CLIENT),
    ],
)
def test_of_trusted_proxies_the_nearest_that_is_not_one_counts(
    forwarded: str, expected: str, person: AbstractUser
):
    with override_settings(AUTHKIT={"TRUSTED_PROXIES": ["10.0.0.0/8"]}):
        assert noted(person, PROXY, forwarded) == expected


def test_a_proxy_may_be_named_by_its_address_of_either_kind(person: AbstractUser):
    with override_settings(AUTHKIT={"TRUSTED_PROXIES": ["2001:db8:1::/48", PROXY]}):
        assert noted(person, "2001:db8:1::7", CLIENT) == CLIENT
        assert noted(person, f"::ffff:{PROXY}", CLIENT) == CLIENT
        assert noted(person, "2001:db8:2::7", CLIENT) == "2001:db8:2::7"


@pytest.mark.parametrize("peer", ["", "unix:", "/run/gunicorn.sock", "localhost"])
def test_a_peer_without_address_is_unknown_and_not_trusted(peer: str, person: AbstractUser):
    with override_settings(AUTHKIT={"TRUSTED_PROXIES": ["0.0.0.0/0", "::/0"]}):
        assert noted(person, peer, CLIENT) is None


def test_the_browser_is_noted_in_one_printable_line_of_bounded_length(person: AbstractUser):
    agent = "Mozilla\r\nX: \x1b[31m\u202e" + "é" * 1_000
    body = {"username": person.get_username(), "password": PASSWORD}
    stranger().post("/auth/token/", body, headers={"User-Agent": agent})
    noted_agent = UserSession.objects.get().user_agent
    assert noted_agent.startswith("MozillaX: [31mé")
    assert len(noted_agent) == 300
    assert noted_agent.isprintable()
