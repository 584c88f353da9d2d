"""The group of Ed25519 (RFC 8032 §5.1), for keys and signatures that nobody makes."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, PRIME) % PRIME
_ROOT = pow(2, (PRIME - 1) // 4, PRIME)  # of -1

Point = tuple[int, int]
NEUTRAL: Point = (0, 1)


def add(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    product = _D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, PRIME)
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, PRIME)
    return x % PRIME, y % PRIME


def times(number: int, point: Point) -> Point:
    total = NEUTRAL
    while number:
        if number & 1:
            total = add(total, point)
        point = add(point, point)
        number >>= 1
    return total


def point_at(y: int) -> Point | None:
    """One of the two points of this height, if there are any."""
    square = (y * y - 1) * pow(_D * y * y + 1, -1, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    x = x if x * x % PRIME == square else x * _ROOT % PRIME
    return (x, y) if x * x % PRIME == square else None


def points_of_small_order() -> set[Point]:
    """The eight points that 8 takes to the neutral one."""
    found = {NEUTRAL}
    y = 2
    while len(found) < 8:
        point = point_at(y)
        if point is not None:  # less its part of the large order
            found |= {times(ORDER * number, point) for number in range(8)}
        y += 1
    return found


def spellings_of(point: Point) -> set[bytes]:
    """The canonical octets of a point, and those that lenient readers take for it."""
    x, y = point
    signs = (0, 1) if x == 0 else (x & 1,)
    heights = [height for height in (y, y + PRIME) if height < 2**255]
    return {(y | sign << 255).to_bytes(32, "little") for y in heights for sign in signs}


def octets_of(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def secret_of(private: Ed25519PrivateKey) -> int:
    """The number that a private key is (RFC 8032 §5.1.5)."""
    digest = hashlib.sha512(private.private_bytes_raw()).digest()
    return int.from_bytes(digest[:32], "little") & (2**254 - 8) | 2**254


def sign_with(r: Point, private: Ed25519PrivateKey, message: bytes) -> bytes:
    """A signature whose R is a point of small order, which only the key's holder can make."""
    start = octets_of(r)
    digest = hashlib.sha512(start + private.public_key().public_bytes_raw() + message).digest()
    s = int.from_bytes(digest, "little") * secret_of(private) % ORDER
    return start + s.to_bytes(32, "little")
