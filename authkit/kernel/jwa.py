"""Signature algorithms (RFC 7518 §3, RFC 8037), each prepared once for its key.

Every algorithm here is deterministic: the same key and message give the same signature,
so a token can be minted again, byte for byte. That is why RSASSA-PSS, whose signatures
are salted, is missing, and why ECDSA takes its nonce from the message (RFC 6979).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from hmac import compare_digest
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from authkit.kernel import ed25519

PrivateKey: TypeAlias = Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey
PublicKey: TypeAlias = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey

Sign: TypeAlias = Callable[[bytes], bytes]
Check: TypeAlias = Callable[[bytes, bytes], bool]

#: Name of the hash and its length in octets, which is a secret's least length
#: (RFC 7518 §3.2).
HMAC = {"HS256": ("sha256", 32), "HS384": ("sha384", 48), "HS512": ("sha512", 64)}

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}
#: Name of the curve and the order of its group (SP 800-186 §3.2.1).
_CURVES = {
    "ES256": (
        "secp256r1",
        0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551,
    ),
    "ES384": ("secp384r1", 2**384 - 0x389CB27E0BC8D220A7E5F24DB74F58851313E695333AD68D),
    "ES512": (
        "secp521r1",
        2**521 - 0x5AE79787C40D069948033FEB708F65A2FC44A36477663B851449048E16EC79BF7,
    ),
}
MIN_RSA_BITS = 2048  # RFC 7518 §3.3

ALGORITHMS = (*HMAC, "EdDSA", *_CURVES, "RS256", "RS384", "RS512")


def fits(alg: str, public: object) -> bool:
    """Whether a public key is of the one kind that an asymmetric algorithm takes."""
    if alg == "EdDSA":
        return isinstance(public, Ed25519PublicKey)
    if alg in _CURVES:
        is_curve = isinstance(public, EllipticCurvePublicKey)
        return is_curve and public.curve.name == _CURVES[alg][0]  # type: ignore[attr-defined]
    return isinstance(public, RSAPublicKey)


def hmac_functions(alg: str, secret: bytes) -> tuple[Sign, Check]:
    """HMAC with SHA-2 (RFC 7518 §3.2, RFC 2104 §2), with what depends on the key done once.

    Written with two digests of hashlib that are copied, which in the middle of a request
    takes half as long as a copy of cryptography's HMAC, and a third of ``hmac.digest``.
    """
    inner, outer = _begun(alg, secret, 0x36), _begun(alg, secret, 0x5C)

    def sign(message: bytes) -> bytes:
        digest = inner.copy()
        digest.update(message)
        mac = outer.copy()
        mac.update(digest.digest())
        return mac.digest()

    def check(message: bytes, signature: bytes) -> bool:
        return compare_digest(sign(message), signature)

    return sign, check


def _begun(alg: str, secret: bytes, pad: int) -> hashlib._Hash:
    """A digest that has taken in the key, filled up to a block, with each octet XORed."""
    name, _ = HMAC[alg]
    digest = hashlib.new(name)
    key = secret if len(secret) <= digest.block_size else hashlib.new(name, secret).digest()
    digest.update(bytes(octet ^ pad for octet in key.ljust(digest.block_size, b"\0")))
    return digest


def signer(alg: str, private: PrivateKey) -> Sign:
    """Return the function that signs with a private key that `fits`."""
    if isinstance(private, Ed25519PrivateKey):
        return private.sign
    if isinstance(private, EllipticCurvePrivateKey):
        return _ecdsa_signer(alg, private)
    scheme, hashing = padding.PKCS1v15(), _HASHES[alg[2:]]
    return lambda message: private.sign(message, scheme, hashing)


def checker(alg: str, public: PublicKey) -> Check:
    """Return the function that checks signatures with a public key that `fits`."""
    if isinstance(public, Ed25519PublicKey):
        return ed25519.checker(public)
    if isinstance(public, EllipticCurvePublicKey):
        return _ecdsa_checker(alg, public)
    return _rsa_checker(alg, public)


def _rsa_checker(alg: str, public: RSAPublicKey) -> Check:
    scheme, hashing = padding.PKCS1v15(), _HASHES[alg[2:]]

    def check(message: bytes, signature: bytes) -> bool:
        try:
            public.verify(signature, message, scheme, hashing)
        except InvalidSignature:
            return False
        return True

    return check


# An ECDSA signature (r, s) has a twin, (r, n - s), that anyone can compute. We sign with
# the smaller s and take no other, so that nobody but us can write a second valid text of
# a token. Other issuers don't: their ES256 tokens would be refused one time in two.


def _ecdsa_signer(alg: str, private: EllipticCurvePrivateKey) -> Sign:
    scheme = ec.ECDSA(_HASHES[alg[2:]], deterministic_signing=True)
    order, size = _CURVES[alg][1], _coordinate_size(alg)

    def sign(message: bytes) -> bytes:
        r, s = utils.decode_dss_signature(private.sign(message, scheme))
        return r.to_bytes(size, "big") + min(s, order - s).to_bytes(size, "big")

    return sign


def _ecdsa_checker(alg: str, public: EllipticCurvePublicKey) -> Check:
    hashing, size = _HASHES[alg[2:]], _coordinate_size(alg)
    half = (_CURVES[alg][1] // 2).to_bytes(size, "big")
    # A digest that is copied costs less than one that cryptography begins for each message.
    begun, scheme = hashlib.new(hashing.name), ec.ECDSA(utils.Prehashed(hashing))

    def check(message: bytes, signature: bytes) -> bool:
        s = signature[size:]
        if len(signature) != 2 * size or s > half:  # as numbers, for they are equally long
            return False
        digest = begun.copy()
        digest.update(message)
        try:
            public.verify(_in_der(signature[:size], s), digest.digest(), scheme)
        except InvalidSignature:
            return False
        return True

    return check


def _in_der(r: bytes, s: bytes) -> bytes:
    """An ECDSA signature as OpenSSL takes it (RFC 3279 §2.2.3; X.690 §8.3 and §10.1).

    As `utils.encode_dss_signature`, without the numbers between: less than half its time.
    """
    r, s = r.lstrip(b"\0") or b"\0", s.lstrip(b"\0") or b"\0"
    if r[0] > 0x7F:  # it would be read as negative
        r = b"\0" + r
    if s[0] > 0x7F:
        s = b"\0" + s
    length = len(r) + len(s) + 4
    begin = b"\x30" if length < 0x80 else b"\x30\x81"
    return b"%b%c\x02%c%b\x02%c%b" % (begin, length, len(r), r, len(s), s)


def _coordinate_size(alg: str) -> int:
    return (_CURVES[alg][1].bit_length() + 7) // 8
