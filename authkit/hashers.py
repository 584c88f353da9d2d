"""For ``PASSWORD_HASHERS``: ``"authkit.hashers.Argon2idPasswordHasher"``."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2idPasswordHasher(Argon2PasswordHasher):
    """Argon2id with OWASP's parameters: 19 MiB, two rounds, one lane.

    Django's own take 100 MiB and eight lanes for each attempt, which a hundred attempts at
    once turn into ten gigabytes. Hashes of its are read, and renewed at the next sign-in.

    Source: OWASP Password Storage Cheat Sheet, "Argon2id".
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1
