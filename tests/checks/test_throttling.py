"""What ``manage.py check`` says about the cache that counts attempts."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import ERROR, run_checks
from django.test import override_settings

from tests.checks.test_deployment import FIT

pytestmark = pytest.mark.django_db

_DJANGO = "django.core.cache.backends"
REDIS = {"BACKEND": f"{_DJANGO}.redis.RedisCache", "LOCATION": "redis://127.0.0.1:6379"}
PATIENT = {"OPTIONS": {"socket_timeout": 0.5}}
MEMCACHED = {"BACKEND": "tests.checks.memcached.Memcached", "LOCATION": "127.0.0.1:11211"}


def said(counts: dict[str, Any], *, alias: str = "counts", deploy: bool = False) -> list[str]:
    changed: Any = {
        **FIT,
        "AUTHKIT": {"THROTTLE_CACHE": alias},
        "CACHES": {"default": {"BACKEND": f"{_DJANGO}.locmem.LocMemCache"}, "counts": counts},
    }
    with override_settings(**changed):
        messages = run_checks(tags=["authkit"], include_deployment_checks=deploy)
    assert all(alias in message.msg and message.hint for message in messages)
    assert all((message.level == ERROR) == (".E" in str(message.id)) for message in messages)
    return [str(message.id) for message in messages]


@pytest.mark.parametrize(
    ("counts", "always", "deployed"),
    [
        ({**REDIS, **PATIENT}, [], []),
        ({**REDIS, "LOCATION": "redis://127.0.0.1:6379?socket_timeout=0.5"}, [], []),
        (REDIS, [], ["W151"]),
        ({**MEMCACHED, "OPTIONS": {"timeout": 0.5}}, [], []),
        (MEMCACHED, [], ["W151"]),
        ({"BACKEND": f"{_DJANGO}.locmem.LocMemCache"}, [], ["W150"]),
        ({"BACKEND": f"{_DJANGO}.dummy.DummyCache"}, ["W050"], []),
        ({"BACKEND": f"{_DJANGO}.db.DatabaseCache", "LOCATION": "table"}, ["W050"], []),
        ({"BACKEND": f"{_DJANGO}.filebased.FileBasedCache", "LOCATION": "folder"}, ["W050"], []),
        ({"BACKEND": "no.such.Cache"}, ["E050"], []),
    ],
)
def test_each_kind_of_cache_is_judged_by_whether_it_counts_for_all(counts, always, deployed):
    assert said(counts) == [f"authkit.{each}" for each in always]
    assert said(counts, deploy=True) == [f"authkit.{each}" for each in always + deployed]


def test_an_alias_that_there_is_not_is_an_error():
    assert said(REDIS, alias="nowhere") == ["authkit.E050"]
