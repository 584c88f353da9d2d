"""Authorization headers as an attacker, a broken client or a bad line would make them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from random import Random

SCHEMES = ["Bearer", "bearer", "BEARER", "Token", "token", "Basic", "Digest", "JWT", "", "B", "ak_"]
SPACES = [" ", "  ", "\t", "", "\xa0", " \t ", "\x0b", "\x1c", "\x85", "\n", "\r\n "]

#: Values that have opened doors elsewhere.
CLASSICS = [
    "null",
    "undefined",
    "None",
    "true",
    "0",
    "-1",
    "admin",
    "[object Object]",
    "' OR '1'='1",
    "../../etc/passwd",
    "%00",
    "{{7*7}}",
    "a.b.c",
    "..",
    ".",
    "ak_",
    "ak_" + "0" * 63,
    "ak_" + "z" * 63,
    "eyJhbGciOiJub25lIn0..",
    "eyJhbGciOiJub25lIn0.e30.",
]


def any_header(random: Random, tokens: list[str]) -> str:
    """One header: of chance, or a real one that was damaged."""
    make: Callable[[Random, list[str]], str] = random.choice(
        [_noise, _noise_after_scheme, _classic, _damaged, _damaged, _damaged, _spliced, _forged]
    )
    return make(random, tokens)


def _octets(random: Random, at_most: int = 200) -> str:
    return random.randbytes(random.randrange(at_most)).decode("latin-1")


def _with_scheme(random: Random, text: str) -> str:
    scheme = random.choice(SCHEMES[:6] * 3 + SCHEMES)
    return scheme + random.choice([" "] * 20 + SPACES) + text


def _noise(random: Random, _: list[str]) -> str:
    return _octets(random)


def _noise_after_scheme(random: Random, _: list[str]) -> str:
    return _with_scheme(random, _octets(random))


def _classic(random: Random, _: list[str]) -> str:
    return _with_scheme(random, random.choice(CLASSICS))


def _damaged(random: Random, tokens: list[str]) -> str:
    text = random.choice(tokens)
    for _ in range(random.choice([0, 1, 1, 1, 2, 5])):
        text = _damage(random, text)
    return _with_scheme(random, text)


def _damage(random: Random, text: str) -> str:
    place = random.randrange(len(text) + 1)
    other = chr(random.randrange(256))
    ways = [
        text[:place] + text[place + 1 :],
        text[:place] + other + text[place:],
        text[:place] + other + text[place + 1 :],
        text[:place] + text[place : place + 1].swapcase() + text[place + 1 :],
        text[:place],
        text[place:],
        text + random.choice(["=", "==", ".", " ", "\n", "\0", "%3D", text]),
        text[:place] + text[place:][::-1],
        text.swapcase(),
        text * 2,
        text.replace(".", random.choice([",", "..", " . ", ""])),
        text.translate(str.maketrans("-_", "+/")),
    ]
    return random.choice(ways)


def _spliced(random: Random, tokens: list[str]) -> str:
    """Parts of two tokens that are each genuine."""
    one, other = random.sample(tokens, 2)
    if one.count(".") == other.count(".") == 2:
        parts = [random.choice(pair) for pair in zip(one.split("."), other.split("."), strict=True)]
        return _with_scheme(random, ".".join(parts))
    place = random.randrange(min(len(one), len(other)))
    return _with_scheme(random, one[:place] + other[place:])


def _forged(random: Random, tokens: list[str]) -> str:
    """A JWT with another header or payload, and some signature."""
    jwts = [token for token in tokens if token.count(".") == 2]
    header, payload, signature = random.choice(jwts).split(".")
    said = _read(header if random.random() < 0.5 else payload)
    name = random.choice([*said, "alg", "kid", "jku", "jwk", "crit", "b64", "sub", "exp", "typ"])
    said[name] = random.choice(
        ["none", "None", "HS512", "RS256", None, True, 0, -1, 1e300, [], {}, "", "1", "\0", name]
    )
    segment = _write(said)
    parts = random.choice(
        [
            [segment, payload, signature],
            [header, segment, signature],
            [segment, payload, ""],
            [header, segment, ""],
            [_write({"alg": "none", "typ": "at+jwt"}), segment, ""],
        ]
    )
    return _with_scheme(random, ".".join(parts))


def _read(segment: str) -> dict[str, object]:
    octets = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    found: dict[str, object] = json.loads(octets)
    return found


def _write(said: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
