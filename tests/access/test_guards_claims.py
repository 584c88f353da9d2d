"""What a claim of a provider gives, and what new people get, is for superusers to say."""

from __future__ import annotations

from typing import Any

import pytest

from authkit.access import acting
from authkit.models import ClaimRole, SocialProvider
from tests.access.guarded import refused

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.access.urls")]


@pytest.fixture
def provider(db: None) -> Any:
    return SocialProvider.objects.create(slug="work", kind="oidc", name="Work", client_id="c")


def claim(provider: Any, role: str = "payroll") -> dict[str, Any]:
    return {"provider": provider, "claim": "groups", "value": "all", "role": role}


def test_no_claim_gives_what_a_delegate_says(as_ada, provider, desk):
    with acting.as_system():
        kept = ClaimRole.objects.create(**claim(provider, "desk"), mode="sync")
    kept.role = "payroll"
    these = ClaimRole.objects.filter(pk=kept.pk)
    for write in (
        lambda: ClaimRole.objects.create(**claim(provider)),
        lambda: ClaimRole.objects.create(**claim(provider, "desk") | {"value": "more"}),
        lambda: ClaimRole.objects.bulk_create([ClaimRole(**claim(provider))]),
        kept.save,
        lambda: ClaimRole.objects.bulk_update([kept], ["role"]),
        lambda: these.update(role="payroll"),
        lambda: these.update(mode="add"),
        these.delete,
        kept.delete,
    ):
        refused(write)
    assert list(ClaimRole.objects.values_list("role", "mode")) == [("desk", "sync")]


def test_new_people_get_no_role_because_a_delegate_says_so(as_ada, provider):
    with_roles = {"kind": "oidc", "name": "N", "client_id": "c", "default_roles": ["payroll"]}
    provider.default_roles = ["payroll"]
    for write in (
        provider.save,
        lambda: provider.save(update_fields=["default_roles"]),
        lambda: SocialProvider.objects.create(slug="new", **with_roles),
        lambda: SocialProvider.objects.bulk_create([SocialProvider(slug="new", **with_roles)]),
        lambda: SocialProvider.objects.bulk_update([provider], ["default_roles"]),
        lambda: SocialProvider.objects.update(default_roles=["payroll"]),
    ):
        refused(write)
    provider.name = "At work"
    provider.save(update_fields=["name"])
    SocialProvider.objects.update(position=3)
    SocialProvider.objects.create(slug="other", kind="oidc", name="Other", client_id="c")
    stored = SocialProvider.objects.get(slug="work")
    assert (stored.name, stored.position, stored.default_roles) == ("At work", 3, [])


def test_a_provider_goes_with_what_its_claims_gave(as_ada, provider):
    with acting.as_system():
        ClaimRole.objects.create(**claim(provider))
    provider.delete()
    assert not ClaimRole.objects.exists()


def test_a_superuser_says_it(root, provider):
    with acting.as_person(root):
        row = ClaimRole.objects.create(**claim(provider))
        provider.default_roles = ["payroll"]
        provider.save()
        row.delete()
    assert SocialProvider.objects.get(pk=provider.pk).default_roles == ["payroll"]
