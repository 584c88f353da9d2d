"""The person who asks, and others so that the tables are not empty."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.authtoken.models import Token

from authkit import sessions, tokens

PASSWORD = "benchmarks-2026"
_OTHERS = 100


def make_person() -> User:
    """Somebody with a password, among a hundred others who are signed in every way."""
    person = User.objects.create_user("ada", "ada@example.com", PASSWORD)
    now = timezone.now()
    for number in range(_OTHERS):
        other = User.objects.create(username=f"user{number}", password=person.password)
        Token.objects.create(user=other)
        AuthToken.objects.create(user=other)
        store_django_session(other)
        session = sessions.start(other, "token", now=now)
        tokens.issue_for(session, now=now)
    return person


def store_django_session(person: Any) -> str:
    """The key of a session as Django's own `login` stores it, unknown to authkit."""
    store = SessionStore()
    store[SESSION_KEY] = str(person.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = person.get_session_auth_hash()
    store.create()
    return str(store.session_key)
