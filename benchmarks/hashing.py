"""Argon2id as Django configures it, and a clock beside it."""

import time

from django.contrib.auth.hashers import Argon2PasswordHasher


class Clock:
    """How often a password was hashed, and how long it took, in microseconds."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.calls = 0
        self.microseconds = 0.0


clock = Clock()


class ClockedArgon2PasswordHasher(Argon2PasswordHasher):
    """Django's hasher, which also counts."""

    def verify(self, password: str, encoded: str) -> bool:
        began = time.perf_counter_ns()
        try:
            return super().verify(password, encoded)
        finally:
            clock.calls += 1
            clock.microseconds += (time.perf_counter_ns() - began) / 1000
