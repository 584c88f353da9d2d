"""What is left after signing out, seen from the demo's own endpoints."""

from __future__ import annotations

from itertools import permutations

import pytest

from tests.demo.client import Client
from tests.demo.server import Server

pytestmark = pytest.mark.default_user_only

KINDS = ("session", "token", "jwt")


@pytest.fixture
def devices(server: Server) -> dict[str, Client]:
    """Bob, three times."""
    return {kind: Client(server.url).sign_in("bob", kind) for kind in KINDS}


def _alive(devices: dict[str, Client]) -> set[str]:
    return {kind for kind, device in devices.items() if device.get("/api/profile/").status == 200}


@pytest.mark.parametrize(("asking", "ended"), list(permutations(KINDS, 2)))
def test_any_device_signs_any_other_out(asking: str, ended: str, devices: dict[str, Client]):
    listed = devices[ended].get("/auth/sessions/").json
    current = next(one["id"] for one in listed if one["current"])
    assert devices[asking].call("DELETE", f"/auth/sessions/{current}/").status == 204
    assert _alive(devices) == set(KINDS) - {ended}
    assert devices[ended].get("/reports/sales/").status == 401


@pytest.mark.parametrize("kind", KINDS)
def test_signing_out_all_others_leaves_the_one_that_asks(kind: str, devices: dict[str, Client]):
    assert devices[kind].call("DELETE", "/auth/sessions/?others=true").status == 204
    assert _alive(devices) == {kind}


@pytest.mark.parametrize("kind", KINDS)
def test_signing_out_everywhere_leaves_nothing(kind: str, devices: dict[str, Client]):
    assert devices[kind].call("DELETE", "/auth/sessions/").status == 204
    assert _alive(devices) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_logging_out_ends_this_sign_in_and_no_other(kind: str, devices: dict[str, Client]):
    assert devices[kind].call("DELETE", f"/auth/{kind}/").status == 204
    assert _alive(devices) == set(KINDS) - {kind}
