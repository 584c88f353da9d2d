"""``manage.py authkit keys list|generate|check|reencrypt``: keys, and what they encrypt."""

from __future__ import annotations

import json
import secrets
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.management.base import CommandError
from django.db.models import Model

from authkit import conf, sealing
from authkit.jwt import keys
from authkit.kernel.jwa import PrivateKey
from authkit.kernel.keys import SigningKey, VerifyingKey, prepare
from authkit.management.subcommands.base import Subcommand, common_options
from authkit.models import SocialAccount, SocialProvider

#: Where encrypted texts are kept, and what for.
_SEALED: tuple[tuple[type[Model], str, str], ...] = (
    (SocialProvider, "sealed_secret", sealing.PROVIDER_SECRET),
    (SocialAccount, "sealed_tokens", sealing.PROVIDER_TOKENS),
)
_RSA_BITS = 3072  # as strong as the others (NIST SP 800-57 part 1, table 2)
_SECRET_OCTETS = 48

_REENCRYPT = (
    "Encrypts what is kept encrypted in the database under today's SECRET_KEY, so that"
    " SECRET_KEY_FALLBACKS can be emptied. Several times does no harm."
)
_PASTE = """\
Put this entry into AUTHKIT["JWT_SIGNING_KEYS"], the only one or behind the others, so that every
process can verify with it. Once all of them do, move it to the front: the first signs, all
verify, so nobody is signed out. Take an old entry out once its last access token is over
(ACCESS_TOKEN_LIFETIME). Keep the key out of version control: this is JSON as well as Python, to
be read from the environment or a file of secrets.
"""


class Keys(Subcommand):
    """Looks after the key ring."""

    name = "keys"
    help = (
        "Lists, makes and checks the keys that sign JWTs; encrypts secrets under a new SECRET_KEY."
    )

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        """What to do with them."""
        actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
        for name, text in (
            ("list", "Shows id, algorithm and role of each key in use, never the key."),
            ("check", "Says what is wrong with the configured keys; exits 1 if anything is."),
            (
                "reencrypt",
                _REENCRYPT,
            ),
        ):
            actions.add_parser(name, help=text, description=text, parents=[common_options()])
        text = "Makes a key and writes the entry for JWT_SIGNING_KEYS. Nothing is stored."
        generate = actions.add_parser(
            "generate", help=text, description=text, parents=[common_options()]
        )
        generate.add_argument(
            "--algorithm",
            choices=list(_GENERATORS),
            default="EdDSA",
            help="default: EdDSA; HS256 only where nobody else verifies the tokens",
        )

    def run(self, *, action: str, algorithm: str = "", **options: Any) -> None:
        """Do one of the four."""
        if action == "generate":
            self._generate(algorithm)
        elif action == "check":
            self._check()
        elif action == "reencrypt":
            self._reencrypt()
        else:
            self._list()

    def _list(self) -> None:
        ring = keys.ring()
        is_derived = not conf.get().jwt_signing_keys
        source = "SECRET_KEY" if is_derived else "JWT_SIGNING_KEYS"
        self.show_table(
            ("tokens", "alg", "kid", "role", "from"),
            [
                *_rows("access", ring.access_signing, ring.access_verifying, source),
                *_rows("refresh", ring.refresh_signing, ring.refresh_verifying, "SECRET_KEY"),
            ],
        )

    def _generate(self, algorithm: str) -> None:
        material = _GENERATORS[algorithm]()
        kid = prepare(algorithm, material).verifying.kid
        self.stdout.write(json.dumps({"alg": algorithm, "kid": kid, "key": material}, indent=4))
        self.say()
        self.say(_PASTE)

    def _check(self) -> None:
        problems = keys.problems(conf.get())
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            raise CommandError("The key ring is not usable.")
        ring = keys.ring()
        self.stdout.write(
            f"The key ring is in order: {ring.access_signing.kid} signs"
            f" ({ring.access_signing.alg}), {len(ring.access_verifying)} in all."
        )

    def _reencrypt(self) -> None:
        done, lost = 0, []
        for model, column, purpose in _SEALED:
            rows = model._default_manager.exclude(**{column: ""}).order_by("pk")
            for pk, text in rows.values_list("pk", column).iterator(chunk_size=500):
                try:
                    fresh = sealing.reseal(purpose, text)
                except sealing.Unsealable:
                    lost.append(f"{model._meta.verbose_name} {pk}")
                    continue
                # Whoever has written another in the meantime has used today's key.
                done += model._default_manager.filter(pk=pk, **{column: text}).update(
                    **{column: fresh}
                )
                if done % 1000 == 0:
                    self.say(f"{done:,} done so far ...")
        self.stdout.write(f"{done:,} encrypted under today's SECRET_KEY.")
        if lost:
            raise CommandError(
                "Not readable with SECRET_KEY and its fallbacks: " + ", ".join(lost[:20])
            )


def _rows(
    tokens: str, signing: SigningKey, verifying: Mapping[str, VerifyingKey], source: str
) -> list[tuple[str, ...]]:
    return [
        (
            tokens,
            key.alg,
            kid,
            "signs, verifies" if kid == signing.kid else "verifies",
            source,
        )
        for kid, key in verifying.items()
    ]


def _pem(private: PrivateKey) -> str:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


_GENERATORS: Mapping[str, Callable[[], str]] = {
    "EdDSA": lambda: _pem(Ed25519PrivateKey.generate()),
    "ES256": lambda: _pem(ec.generate_private_key(ec.SECP256R1())),
    "RS256": lambda: _pem(rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)),
    "HS256": lambda: secrets.token_urlsafe(_SECRET_OCTETS),
}
