"""What people sign in with, in the one form in which names are compared.

Alice, ALICE, "alice " and the same in full-width letters are one name. Letters that only
look alike (the Cyrillic a, the dotless i) are others, and stay so (CVE-2019-19844).

Sources: Unicode Standard Annex 15 (NFKC); RFC 8265 §3.3.
"""

from __future__ import annotations

import hashlib
import unicodedata

USERNAME, EMAIL = "username", "email"


def normal(text: str) -> str:
    """NFKC, and no space around it or twice in it; the case stays."""
    return " ".join(part for part in unicodedata.normalize("NFKC", text).split(" ") if part)


def canonical(text: str) -> str:
    """The form in which two names are the same or not."""
    return unicodedata.normalize("NFKC", normal(text).lower())


def digest_of(kind: str, text: str) -> str:
    """By which a name is found; `kind` is `USERNAME` or `EMAIL`.

    A digest has one length and one meaning in every database, whatever its collation.
    """
    return hashlib.sha256(f"{kind}:{canonical(text)}".encode(errors="replace")).hexdigest()
