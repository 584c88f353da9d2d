"""Imports point down, and the contract that says so knows every file."""

from __future__ import annotations

import pkgutil
import tomllib

import pytest

import authkit
from tests.ground import ROOT

pytestmark = pytest.mark.default_user_only

CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = {
    contract["id"]: contract for contract in CONFIGURATION["tool"]["importlinter"]["contracts"]
}


def test_every_module_stands_on_a_floor():
    layers = CONTRACTS["floors"]["layers"]
    placed = [name.strip("() ") for layer in layers for name in layer.split(":")]
    modules = {module.name for module in pkgutil.iter_modules(authkit.__path__)}
    assert modules <= set(placed)
    assert len(placed) == len(set(placed))


def test_a_module_without_a_floor_breaks_the_contract():
    assert CONTRACTS["floors"]["exhaustive"] is True


def test_the_ground_floors_are_not_optional():
    assert CONTRACTS["floors"]["layers"][-2:] == ["kernel", "exceptions"]
