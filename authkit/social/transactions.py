"""What binds the end of a sign-in to its beginning, without a row for each that is begun.

Beginning makes a sealed text and gives it to the client: a browser as an HttpOnly cookie,
other clients in the answer. Only who holds it can complete the sign-in, with the provider
and for the purpose for which it was begun, within ten minutes. When a `state` comes back
its digest is stored until it would have expired, so it comes back once. Ten thousand begun
sign-ins leave nothing; completed ones leave a row for ten minutes.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from authkit import sealing
from authkit.models import PausedSignIn, SpentState
from authkit.social.refusals import StateNotValid

LIFETIME = timedelta(minutes=10)
_PURPOSE = "social transaction"
_CLEAN_UP_AT_MOST = 100
_LONGEST = 8192

Purpose = Literal["sign_in", "link"]
#: The id of a person, and that of their sign-in ("" where a project has none of ours).
Linker = list[str]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A begun sign-in.

    Attributes:
        provider, issuer: with whom; both must still be so when it comes back.
        purpose: to sign in, or to link; never decided at the end.
        state: what the provider sends back.
        redirect_uri: where to; the provider compares it as well.
        next: where a browser goes in the end, on this site.
        linker: who links, and the sign-in in which they began to.
        values: what python-social-auth keeps in a session: verifier, nonce, timestamp.
    """

    provider: str
    issuer: str
    purpose: Purpose
    state: str
    redirect_uri: str
    next: str = ""
    linker: Linker | None = None
    values: dict[str, Any] = field(default_factory=dict, repr=False)


def seal(begun: Transaction) -> str:
    """The text for the client, which can neither be read nor changed there."""
    return sealing.seal_object(_PURPOSE, asdict(begun))


def open_(sealed: str, *, provider: str, issuer: str, state: object) -> Transaction:
    """What this client began with this provider and this `state`.

    Raises:
        StateNotValid: nothing, or too long ago, or something else.
    """
    if not isinstance(state, str) or not state or len(sealed) > _LONGEST:
        raise StateNotValid("state_missing")
    try:
        age = int(LIFETIME.total_seconds())
        begun = Transaction(**sealing.unseal_object(_PURPOSE, sealed, max_age=age))
    except (sealing.Unsealable, TypeError) as error:  # the latter: begun before an upgrade
        raise StateNotValid("not_begun_here") from error
    if not constant_time_compare(begun.state, state):
        raise StateNotValid("state_mismatch")
    if (begun.provider, begun.issuer) != (provider, issuer):
        raise StateNotValid("another_provider")
    return begun


def spend(state: str) -> None:
    """Let a state count, once.

    Raises:
        StateNotValid: it has come back before.
    """
    now = timezone.now()
    _clean_up(now)
    try:
        with transaction.atomic():
            SpentState.objects.create(digest=digest_of(state), expires_at=now + 2 * LIFETIME)
    except IntegrityError as error:
        raise StateNotValid("state_used") from error


def digest_of(text: str) -> str:
    """What is stored of a secret that is presented again."""
    return hashlib.sha256(text.encode()).hexdigest()


def over(*, now: datetime) -> list[Any]:
    """Rows that nothing can need any more."""
    return [model.objects.filter(expires_at__lt=now) for model in (SpentState, PausedSignIn)]


def _clean_up(now: datetime) -> None:
    """Delete a few rows that are over, so that they do not depend on `authkit prune`."""
    for rows in over(now=now):
        keys = list(rows.values_list("pk", flat=True)[:_CLEAN_UP_AT_MOST])
        if keys:
            rows.model.objects.filter(pk__in=keys).delete()
