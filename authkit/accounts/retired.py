"""A password that has been ended from above: nobody gets in with it, and nobody takes it again.

Its hash stays where it was, behind a word that no hasher knows. So it opens no door, of
authkit or of others, and what is asked to be the new password can be compared with it. The
next password replaces both.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth.hashers import check_password
from django.views.decorators.debug import sensitive_variables

from authkit.accounts import hashing

_RETIRED = "retired$"
_NONCE_BYTES = 4  # six letters: behind an Argon2 hash Django's column has 16 left


@sensitive_variables("retired")
def retire(person: Any) -> str:
    """What to store in the place of a person's password; each time something else.

    So whatever hangs from the password ends, also of one that was ended before. Where the
    column is too short for it, the hash of a password that nobody knows: then the old one
    cannot be told apart from others.

    Raises:
        Busy: see `hashing.turn`.
    """
    retired = f"{_RETIRED}{secrets.token_urlsafe(_NONCE_BYTES)}${_hash_of(person)}"
    longest = person._meta.get_field("password").max_length
    if longest is not None and len(retired) > longest:
        return hashing.hash_of(secrets.token_urlsafe(32))
    return retired


def is_retired(person: Any) -> bool:
    """Whether a person has to set a new password before one works."""
    return str(getattr(person, "password", "")).startswith(_RETIRED)


def has_working_password(person: Any) -> bool:
    """Whether a person has a password that opens the door: neither none, nor one that was ended."""
    return bool(person.has_usable_password()) and not is_retired(person)


@sensitive_variables("password")
def is_the_old_one(person: Any, password: str) -> bool:
    """Whether this is the password that was ended. False for who has one that works.

    Raises:
        Busy: see `hashing.turn`.
    """
    if not is_retired(person):
        return False
    with hashing.turn():
        try:
            return check_password(password, _hash_of(person))
        except ValueError:  # a hash of a kind that nobody reads any more; nobody is kept out by it
            return False


@sensitive_variables("encoded")
def _hash_of(person: Any) -> str:
    """The hash, bare."""
    encoded = str(person.password)
    return encoded.split("$", 2)[2] if is_retired(person) else encoded
