"""Argon2id as it should not be."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class WeakArgon2Hasher(Argon2PasswordHasher):
    time_cost = 1
    memory_cost = 1024
    parallelism = 1
