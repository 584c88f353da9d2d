"""A preview of the matrix says what the guards will refuse, before anything is saved."""

from __future__ import annotations

from typing import Any

import pytest

from authkit.models import AuditEvent, Role
from tests.access.writing import give
from tests.admin.access_world import (
    URLS,
    edit,
    matrix_url,
    register_conditions,
    review_all,
    role,
    rules,
)
from tests.admin.pages import grant, make_staff, signed_in
from tests.admin.test_matrix import EDITOR, preview, save, text_of

pytestmark = pytest.mark.django_db

READ, CREATE = "api.person:read", "api.person:create"
WORDS = "You may not give what you do not hold yourself."


@pytest.fixture(autouse=True)
def _world(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROOT_URLCONF = URLS
    register_conditions(monkeypatch)
    role("guest", "deny plain:*")
    review_all()


@pytest.fixture
def client(superuser):
    """Somebody who edits rules, and who may read people themselves."""
    ada = make_staff("ada")
    grant(ada, *EDITOR)
    give(ada, role("reader", f"allow {READ}"))
    return signed_in(ada)


def test_a_preview_says_what_will_be_refused_in_the_words_of_the_refusal(client):
    before, events = rules(), AuditEvent.objects.count()
    response = preview(client, edit("guest", READ, "allow"), edit("guest", CREATE, "allow"))
    assert response.status_code == 200
    assert text_of(response).count(WORDS) == 1
    assert f"{WORDS} ({CREATE})" in text_of(response)
    assert "This cannot be saved" in text_of(response)
    assert 'name="_save"' not in response.text
    assert rules() == before
    assert AuditEvent.objects.count() == events  # nobody has tried anything yet
    refused = save(client, edit("guest", CREATE, "allow"))
    assert refused.status_code == 403
    assert f"{WORDS} ({CREATE})" in text_of(refused)
    assert AuditEvent.objects.filter(kind="access.refused").count() == 1


def test_what_one_may_give_is_previewed_and_saved(client):
    response = preview(client, edit("guest", READ, "allow"))
    assert "refuse" not in text_of(response)
    assert 'name="_save"' in response.text
    assert save(client, edit("guest", READ, "allow")).status_code == 302


def test_a_preview_says_that_a_deny_rule_stays(client):
    """Nobody has the role: then nobody gains. Somebody has: then what it denies stays."""
    without = edit("guest", "plain:*")
    assert WORDS not in text_of(preview(client, without))
    guest = Role.objects.get(slug="guest")
    give(make_staff("bob"), guest)
    assert WORDS in text_of(preview(client, without))
    assert "guest: deny plain:*" in rules()


def test_a_preview_makes_no_role(client):
    Role.objects.filter(slug="anyone").delete()
    assert preview(client, edit("anyone", READ, "allow")).status_code == 200
    assert not Role.objects.filter(slug="anyone").exists()
    assert client.get(matrix_url()).status_code == 200
