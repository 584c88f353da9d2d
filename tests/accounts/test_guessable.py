"""Which passwords are refused, and which are not."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.test import RequestFactory, override_settings

from authkit.accounts import hashing, new_password
from authkit.accounts.guessable import GuessablePasswordValidator


def problems(password: str, **person: str) -> list[str]:
    user = get_user_model()(**person)
    try:
        new_password.check(password, user=user, request=RequestFactory().get("/"))
    except ValidationError as error:
        return [str(each.code) for each in error.error_list]
    return []


def test_every_common_password_of_a_fit_length_is_refused():
    common = [word for word in CommonPasswordValidator().passwords if 8 <= len(word) <= 128]
    assert len(common) > 3000
    validator = GuessablePasswordValidator()
    for word in common:
        for spelling in (word, word.upper(), word + "1", f"!{word}!"):
            with pytest.raises(ValidationError):
                validator.validate(spelling)


@pytest.mark.parametrize("length", [0, 1, 7, 129, 1024, 1_000_000])
def test_the_length_is_refused_before_anything_is_hashed(
    length: int, monkeypatch: pytest.MonkeyPatch
):
    hashed: list[str] = []
    monkeypatch.setattr(hashing, "make_password", hashed.append)
    [code] = problems("ab" * (length // 2) + "c" * (length % 2))
    assert code in {"password_too_short", "password_too_long"}
    assert hashed == []


@pytest.mark.parametrize(
    "password",
    [
        "seven rainy tuesdays",
        "correct horse battery staple",
        "qmzpalxk",
        "x8#kT!2p",
        "zwanzigkleinefuechse",
        "z" * 3 + "aqxwr" * 25,
        "\u043f\u0430\u0440\u043e\u043b\u044c\u043d\u0435\u0442",
        "\U0001f98a\U0001f40c\U0001f33b\U0001f9ed\U0001f3bb\U0001f9c2\U0001f6b2\U0001f52d",
    ],
)
def test_what_nobody_guesses_is_taken_without_rules_of_composition(password: str):
    assert problems(password, email="ada@example.com") == []


@pytest.mark.parametrize(
    "password",
    ["lovelace1815", "Lovelace!!", "10lovelace10", "ada.lovelace", "testserver99", "P4ssw0rd!!"],
)
def test_what_is_written_on_the_door_is_refused(password: str):
    with override_settings(ALLOWED_HOSTS=["testserver.example"]):
        request = RequestFactory().get("/", headers={"Host": "testserver.example"})
        user = get_user_model()(email="ada.lovelace@example.com")
        with pytest.raises(ValidationError):
            new_password.check(password, user=user, request=request)


@override_settings(
    AUTH_PASSWORD_VALIDATORS=[
        {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"}
    ]
)
def test_the_projects_own_validators_have_their_say_too():
    assert "password_entirely_numeric" in problems("90817263544536271809")


@override_settings(
    AUTH_PASSWORD_VALIDATORS=[{"NAME": "authkit.validators.GuessablePasswordValidator"}]
)
def test_each_problem_is_said_once():
    assert problems("password1") == ["password_too_common"]


def test_its_bounds_are_settings():
    with override_settings(AUTHKIT={"PASSWORD_MIN_LENGTH": 15, "PASSWORD_MAX_LENGTH": 64}):
        assert problems("seven rainy tu") == ["password_too_short"]
        assert problems("seven rainy tue") == []
        assert problems("qx" * 33) == ["password_too_long"]
