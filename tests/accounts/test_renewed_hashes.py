"""Django's own `user.check_password()` renews an old hash: that is no new password.

And nothing else may pass for such a renewal.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import identify_hasher, make_password
from django.db.models.signals import pre_save
from django.test import override_settings

from authkit.models import AuditEvent, BearerToken, UserSession
from tests.api.callers import SIGN_INS, Caller, personal, sign_in, who
from tests.people import PASSWORD, make_person

pytestmark = [pytest.mark.urls("tests.api.urls"), pytest.mark.django_db]

SHA = "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher"
MD5 = "django.contrib.auth.hashers.MD5PasswordHasher"


@pytest.fixture
def callers(person: Any) -> Iterator[list[Caller]]:
    """Everything that a person may hold, begun under an old hash."""
    made = [sign_in(kind, person) for kind in SIGN_INS] + [personal(person)]
    with override_settings(PASSWORD_HASHERS=[SHA, MD5]):
        yield made


def loaded(person: Any) -> Any:
    found = get_user_model()._default_manager.get(pk=person.pk)
    assert identify_hasher(found.password).algorithm == "md5"
    return found


def are_dead(callers: list[Caller]) -> bool:
    return all(caller.get("/api/closed/").status_code == 401 for caller in callers)


def test_a_hash_renewed_by_djangos_own_check_ends_nothing(person: Any, callers: list[Caller]):
    user = loaded(person)
    assert user.check_password(PASSWORD)
    stored = get_user_model()._default_manager.get(pk=person.pk).password
    assert identify_hasher(stored).algorithm == "pbkdf2_sha1"
    for caller in callers:
        assert who(caller.get("/api/closed/")) == str(person.pk)
    assert not AuditEvent.objects.filter(kind="account.password_changed").exists()


def test_a_wrong_password_renews_and_ends_nothing(person: Any, callers: list[Caller]):
    assert not loaded(person).check_password("wrong")
    for caller in callers:
        assert who(caller.get("/api/closed/")) == str(person.pk)


def test_what_had_ended_before_a_renewal_stays_ended(person: Any, callers: list[Caller]):
    """Sign-ins of an older password do not come back with the hash of the newer one."""
    other = make_password("another", hasher="md5")
    get_user_model()._default_manager.filter(pk=person.pk).update(password=other)
    looked_up = [caller for caller in callers if "refresh" not in caller.answer]
    assert are_dead(looked_up)
    assert loaded(person).check_password("another")
    assert are_dead(looked_up)


def _by_hand(user: Any) -> None:
    user.set_password("another")
    user.save()


def _by_hand_this_field_only(user: Any) -> None:
    user.set_password("another")
    user.save(update_fields=["password"])


def _as_the_renewal_looks(user: Any) -> None:
    user.set_password("another")
    user._password = None
    user.save(update_fields=["password"])


def _assigned(user: Any) -> None:
    user.password = make_password("another")
    user.save(update_fields=["password"])


def _another_during_the_renewal(user: Any) -> None:
    """Code of the project that runs before ours and puts another password in."""

    def swap(instance: Any, **_: object) -> None:
        instance.password = make_password("another")

    pre_save.connect(swap, sender=type(user))
    pre_save.receivers.insert(0, pre_save.receivers.pop())
    pre_save.sender_receivers_cache.clear()
    try:
        assert user.check_password(PASSWORD)
    finally:
        pre_save.disconnect(swap, sender=type(user))


def _stale_check(user: Any) -> None:
    """The password is changed elsewhere while an instance still has the old hash."""
    other = make_password("another", hasher="md5")
    get_user_model()._default_manager.filter(pk=user.pk).update(password=other)
    assert user.check_password(PASSWORD)


def _function_of_the_same_name(user: Any) -> None:
    def setter(raw_password: str, self: Any = user) -> None:
        self.set_password("another")
        self._password = None
        self.save(update_fields=["password"])

    setter(PASSWORD)


@pytest.mark.parametrize(
    "change",
    [
        _by_hand,
        _by_hand_this_field_only,
        _as_the_renewal_looks,
        _assigned,
        _another_during_the_renewal,
        _function_of_the_same_name,
    ],
)
def test_another_password_is_no_renewal(change: Any, person: Any, callers: list[Caller]):
    change(loaded(person))
    assert are_dead(callers)
    assert not UserSession.objects.filter(revoked_at=None).exists()
    assert AuditEvent.objects.filter(kind="account.password_changed").exists()


def test_a_stale_check_brings_nothing_back(person: Any, callers: list[Caller]):
    """Django stores the old password again; what was begun with the newer one ends."""
    _stale_check(loaded(person))
    assert not UserSession.objects.filter(revoked_at=None).exists()
    assert are_dead(callers)


def test_the_renewal_of_one_person_hides_no_change_of_another(person: Any, callers: list[Caller]):
    other = make_person("grace")
    held = sign_in("token", other)

    def change_other(instance: Any, **_: object) -> None:
        if instance.pk == person.pk:
            fresh = get_user_model()._default_manager.get(pk=other.pk)
            fresh.password = make_password("another")
            fresh.save(update_fields=["password"])

    pre_save.connect(change_other, sender=type(person))
    try:
        assert loaded(person).check_password(PASSWORD)
    finally:
        pre_save.disconnect(change_other, sender=type(person))
    assert held.get("/api/closed/").status_code == 401
    assert who(callers[0].get("/api/closed/")) == str(person.pk)


def test_tokens_are_carried_over_too(person: Any, callers: list[Caller]):
    before = set(BearerToken.objects.values_list("credential_digest", flat=True))
    assert loaded(person).check_password(PASSWORD)
    after = set(BearerToken.objects.values_list("credential_digest", flat=True))
    assert len(before) == len(after) == 1
    assert before != after


def test_a_renewal_that_failed_hides_no_later_change(person: Any, callers: list[Caller]):
    user = loaded(person)

    def fail(**_: object) -> None:
        raise OSError("no room")

    pre_save.connect(fail, sender=type(user))
    try:
        with pytest.raises(OSError, match="no room"):
            user.check_password(PASSWORD)
    finally:
        pre_save.disconnect(fail, sender=type(user))
    user.set_password("another")
    user.save()
    assert are_dead(callers)
