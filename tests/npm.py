"""Packages of npm that tests need, installed once for all test runs."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest

_PATIENCE = 180  # seconds


def installed(config: pytest.Config, name: str, manifest: Path) -> Path:
    """The folder in which what a package.json asks for is installed; skips where npm is not."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        pytest.skip("node and npm are not on the PATH")
    folder = config.cache.mkdir(name)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted, stamp = manifest.read_text(), folder / "installed"
        if not stamp.exists() or stamp.read_text() != wanted:
            (folder / "package.json").write_text(wanted)
            command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=_PATIENCE, check=False
            )
            if done.returncode:
                pytest.skip(f"npm could not install {name}: {done.stderr[-300:]}")
            stamp.write_text(wanted)
    return folder
