"""So many passwords are hashed at once, and a no takes its time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import MD5PasswordHasher, make_password
from django.test import override_settings

from authkit.accounts import hashing, pace, passwords
from authkit.exceptions import Busy
from authkit.hashers import Argon2idPasswordHasher
from tests.people import PASSWORD, make_person

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser


class CountingHasher(MD5PasswordHasher):
    """Notes how many hash at the same time."""

    algorithm = "counting"
    lock = threading.Lock()
    now = most = total = 0

    def encode(self, password: str, salt: str) -> str:
        with self.lock:
            CountingHasher.now += 1
            CountingHasher.total += 1
            CountingHasher.most = max(self.most, self.now)
        time.sleep(0.002)
        with self.lock:
            CountingHasher.now -= 1
        return super().encode(password, salt)


@override_settings(
    PASSWORD_HASHERS=[f"{__name__}.CountingHasher"],
    AUTHKIT={"PASSWORD_HASHING_SLOTS": 3, "REFUSAL_TIME": 0},
)
def test_a_hundred_at_once_hash_three_by_three():
    CountingHasher.now = CountingHasher.most = CountingHasher.total = 0
    with ThreadPoolExecutor(100) as threads:
        list(threads.map(passwords.spend_time_on, ["x"] * 100))
    assert CountingHasher.total == 100
    assert CountingHasher.most == 3


@override_settings(AUTHKIT={"PASSWORD_HASHING_SLOTS": 1, "REFUSAL_TIME": 0})
def test_who_gets_no_turn_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hashing, "PATIENCE", 0.01)
    with ThreadPoolExecutor(1) as other, hashing.turn():
        assert hashing.hash_of("who has a turn does not wait for one")
        with pytest.raises(Busy):
            other.submit(hashing.hash_of, "x").result()
    assert hashing.hash_of("x")


def test_a_password_longer_than_any_is_not_hashed(monkeypatch: pytest.MonkeyPatch, db: None):

    ada = make_person("ada")
    monkeypatch.setattr(passwords, "check_password", lambda *_: pytest.fail("was hashed"))
    assert authenticate(None, username=ada.get_username(), password="x" * 1025) is None


def test_argon2id_has_the_parameters_that_owasp_recommends():
    with override_settings(PASSWORD_HASHERS=["authkit.hashers.Argon2idPasswordHasher"]):
        assert make_password("x").startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    hasher = Argon2idPasswordHasher()
    assert hasher.must_update("argon2$argon2id$v=19$m=102400,t=2,p=8$c29tZXNhbHQ$" + "A" * 43)


@pytest.mark.django_db
def test_a_hash_of_djangos_argon2_is_renewed_at_the_next_sign_in(person: AbstractUser):
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.Argon2PasswordHasher"]):
        person.set_password(PASSWORD)
        person.save()
    with override_settings(PASSWORD_HASHERS=["authkit.hashers.Argon2idPasswordHasher"]):
        assert authenticate(None, username=person.get_username(), password=PASSWORD)
        person.refresh_from_db()
        assert "m=19456,t=2,p=1" in person.password


def test_what_is_done_early_waits():
    with override_settings(AUTHKIT={"REFUSAL_TIME": 0.05}):
        began = time.perf_counter()
        with pace.steady_mail():
            pass
        assert time.perf_counter() - began >= 0.05


def test_without_a_setting_it_is_as_long_as_the_slowest_hasher_takes():
    slow = "django.contrib.auth.hashers.PBKDF2PasswordHasher"
    fast = "django.contrib.auth.hashers.MD5PasswordHasher"
    with override_settings(AUTHKIT={}, PASSWORD_HASHERS=[fast, slow]):
        with_slow = pace._of_check()
    with override_settings(AUTHKIT={}, PASSWORD_HASHERS=[fast]):
        assert pace._of_check() < with_slow


@pytest.mark.django_db
def test_every_refusal_waits_and_no_success_does(person: AbstractUser):

    inactive = make_person("inactive", is_active=False)
    unusable = make_person("unusable", password=None)
    refused = [
        (person.get_username(), "wrong"),
        ("nobody", PASSWORD),
        (inactive.get_username(), PASSWORD),
        (inactive.get_username(), "wrong"),
        (unusable.get_username(), PASSWORD),
        (person.get_username(), "x" * 2000),
    ]
    with override_settings(AUTHKIT={"REFUSAL_TIME": 0.1}):
        for name, password in refused:
            began = time.perf_counter()
            assert authenticate(None, username=name, password=password) is None
            assert time.perf_counter() - began >= 0.1
