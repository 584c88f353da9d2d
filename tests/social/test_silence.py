"""A provider that hangs keeps a worker once, and not each of them again and again."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.social.liar import Liar, as_json
from tests.social.stand_ins import gitlab, lead_here, with_token
from tests.social.visitor import Visitor

pytestmark = pytest.mark.django_db

DOCUMENT = "/.well-known/openid-configuration"


@pytest.fixture(autouse=True)
def _soon(settings: Any) -> None:
    settings.AUTHKIT = {**settings.AUTHKIT, "SOCIAL_TIMEOUT": 1}


def _begin(slug: str = "house") -> tuple[int, float]:
    started = time.monotonic()
    status = Visitor().post(f"/auth/social/{slug}/begin/", {}).status_code
    return status, time.monotonic() - started


def test_whoever_comes_after_is_told_at_once(offer, liar):
    offer()
    liar.answers[DOCUMENT] = lambda: None
    status, lasted = _begin()
    assert (status, lasted > 0.9) == (503, True)
    for _ in range(5):
        status, lasted = _begin()
        assert (status, lasted < 0.5) == (503, True)
    assert liar.asked == [DOCUMENT]


def test_it_is_asked_again_after_a_moment(offer, liar, monkeypatch):
    offer()
    liar.answers[DOCUMENT] = lambda: None
    assert _begin()[0] == 503
    del liar.answers[DOCUMENT]
    assert _begin()[0] == 503
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 11)
    assert _begin()[0] == 200


def test_a_provider_that_is_pointed_elsewhere_is_asked_at_once(offer, liar):
    row = offer()
    liar.answers[DOCUMENT] = lambda: None
    assert _begin()[0] == 503
    del liar.answers[DOCUMENT]
    row.issuer = liar.issuer = f"{liar.url}/"
    row.save()
    assert _begin()[0] == 200


def test_one_does_not_silence_another(offer, liar):
    offer()
    offer(slug="other")
    liar.answers[DOCUMENT] = lambda: None
    assert _begin()[0] == 503
    del liar.answers[DOCUMENT]
    assert _begin("other")[0] == 200


def test_who_is_down_and_says_so_is_asked_each_time(offer, liar):
    offer()
    liar.answers[DOCUMENT] = lambda: as_json({}, 500)
    assert _begin()[0] == 503
    del liar.answers[DOCUMENT]
    assert _begin()[0] == 200


def test_nobody_silences_a_provider_by_many_short_answers(settings, offer, liar: Liar):
    """Somebody with a thousand groups takes all the time there is, one page after another."""
    lead_here(settings, liar)
    row = gitlab(liar, offer)
    row.organisations = ["example"]
    row.save()

    def page() -> Any:
        time.sleep(0.3)
        groups = [{"id": number, "full_path": f"g{number}"} for number in range(1, 101)]
        return as_json(groups)

    liar.answers["/api/v4/groups"] = page
    assert Visitor().sign_in(liar).status_code == 503
    groups = [{"id": 1, "full_path": "example"}]
    liar.answers["/api/v4/groups"] = with_token(liar, "/api/v4/groups", groups)
    assert Visitor().sign_in(liar).status_code == 200
