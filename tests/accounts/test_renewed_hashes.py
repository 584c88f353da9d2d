"""Django's own `check_password()` and `acheck_password()` renew an old hash: no new password.

And nothing else may pass for such a renewal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import aauthenticate, authenticate, get_user_model
from django.contrib.auth.hashers import identify_hasher, make_password
from django.db.models.signals import pre_save
from django.test import RequestFactory, override_settings
from django.views.debug import ExceptionReporter

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


def _checked(user: Any, password: str) -> bool:
    return bool(user.check_password(password))


def _checked_in_async_code(user: Any, password: str) -> bool:
    return bool(async_to_sync(user.acheck_password)(password))


Check = Callable[[Any, str], bool]
both_checks = pytest.mark.parametrize("check", [_checked, _checked_in_async_code])


def loaded(person: Any) -> Any:
    found = get_user_model()._default_manager.get(pk=person.pk)
    assert identify_hasher(found.password).algorithm == "md5"
    return found


def are_dead(callers: list[Caller]) -> bool:
    return all(caller.get("/api/closed/").status_code == 401 for caller in callers)


@both_checks
def test_a_hash_renewed_by_djangos_own_check_ends_nothing(
    check: Check, person: Any, callers: list[Caller]
):
    assert check(loaded(person), PASSWORD)
    stored = get_user_model()._default_manager.get(pk=person.pk).password
    assert identify_hasher(stored).algorithm == "pbkdf2_sha1"
    for caller in callers:
        assert who(caller.get("/api/closed/")) == str(person.pk)
    assert not AuditEvent.objects.filter(kind="account.password_changed").exists()


@pytest.mark.parametrize("way", [authenticate, async_to_sync(aauthenticate)])
def test_a_hash_renewed_by_djangos_own_backend_ends_nothing(
    way: Any, person: Any, callers: list[Caller]
):
    with override_settings(
        AUTHENTICATION_BACKENDS=[
            "django.contrib.auth.backends.ModelBackend",
            "authkit.backends.AuthkitBackend",
        ]
    ):
        assert way(username=person.get_username(), password=PASSWORD) == person
        stored = get_user_model()._default_manager.get(pk=person.pk).password
        assert identify_hasher(stored).algorithm == "pbkdf2_sha1"
        for caller in callers:
            assert who(caller.get("/api/closed/")) == str(person.pk)


@both_checks
def test_a_wrong_password_renews_and_ends_nothing(check: Check, person: Any, callers: list[Caller]):
    assert not check(loaded(person), "wrong")
    for caller in callers:
        assert who(caller.get("/api/closed/")) == str(person.pk)


@both_checks
def test_what_had_ended_before_a_renewal_stays_ended(
    check: Check, person: Any, callers: list[Caller]
):
    """Sign-ins of an older password do not come back with the hash of the newer one."""
    other = make_password("another", hasher="md5")
    get_user_model()._default_manager.filter(pk=person.pk).update(password=other)
    looked_up = [caller for caller in callers if "refresh" not in caller.answer]
    assert are_dead(looked_up)
    assert check(loaded(person), "another")
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


def _another_during_the_renewal(user: Any, check: Check = _checked) -> None:
    """Code of the project that runs before ours and puts another password in."""

    def swap(instance: Any, **_: object) -> None:
        instance.password = make_password("another")

    pre_save.connect(swap, sender=type(user))
    pre_save.receivers.insert(0, pre_save.receivers.pop())
    pre_save.sender_receivers_cache.clear()
    try:
        assert check(user, PASSWORD)
    finally:
        pre_save.disconnect(swap, sender=type(user))


def _another_during_the_renewal_in_async_code(user: Any) -> None:
    _another_during_the_renewal(user, _checked_in_async_code)


def _another_after_a_check(user: Any) -> None:
    """The password that was checked is known no longer than the check lasts."""
    with override_settings(PASSWORD_HASHERS=[MD5, SHA]):  # nothing to renew
        assert _checked(user, PASSWORD)
        assert _checked_in_async_code(user, PASSWORD)
    _by_hand(user)


def _stale_check(user: Any, check: Check = _checked) -> None:
    """The password is changed elsewhere while an instance still has the old hash."""
    other = make_password("another", hasher="md5")
    get_user_model()._default_manager.filter(pk=user.pk).update(password=other)
    assert check(user, PASSWORD)


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
        _another_during_the_renewal_in_async_code,
        _another_after_a_check,
        _function_of_the_same_name,
    ],
)
def test_another_password_is_no_renewal(change: Any, person: Any, callers: list[Caller]):
    change(loaded(person))
    assert are_dead(callers)
    assert not UserSession.objects.filter(revoked_at=None).exists()
    assert AuditEvent.objects.filter(kind="account.password_changed").exists()


@both_checks
def test_a_stale_check_brings_nothing_back(check: Check, person: Any, callers: list[Caller]):
    """Django stores the old password again; what was begun with the newer one ends."""
    _stale_check(loaded(person), check)
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


@contextmanager
def _no_room(model: Any) -> Iterator[None]:
    """No person of this model can be saved."""

    def fail(**_: object) -> None:
        raise OSError("no room")

    pre_save.connect(fail, sender=model)
    try:
        yield
    finally:
        pre_save.disconnect(fail, sender=model)


@both_checks
def test_a_renewal_that_failed_hides_no_later_change(
    check: Check, person: Any, callers: list[Caller]
):
    user = loaded(person)
    with _no_room(type(user)), pytest.raises(OSError, match="no room"):
        check(user, PASSWORD)
    _by_hand(user)
    assert are_dead(callers)


def test_the_report_of_a_renewal_that_failed_shows_no_password(person: Any, callers: list[Caller]):
    user = loaded(person)
    with _no_room(type(user)), pytest.raises(OSError, match="no room") as failure:
        user.check_password(PASSWORD)
    beneath = failure.tb.tb_next  # without the frame of this test
    report = ExceptionReporter(RequestFactory().get("/"), failure.type, failure.value, beneath)
    assert "no room" in report.get_traceback_html()
    assert PASSWORD not in report.get_traceback_html()
