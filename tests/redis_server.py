"""A Redis of the tests' own, which they may stop, kill and flush."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any

PATIENCE = 10


def why_not() -> str:
    """What is missing; nothing if that is empty."""
    if which("redis-server") is None:
        return "no redis-server on the PATH"
    return "" if find_spec("redis") else "the package redis is not installed"


class RedisServer:
    """Listens at a socket in a folder, and keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "redis"
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    def settings(self, **options: Any) -> dict[str, Any]:
        """What stands in CACHES."""
        return {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": self.url,
            "OPTIONS": {"socket_timeout": 0.3, **options},
        }

    def start(self) -> None:
        """Start empty, and wait until it listens."""
        command = ["redis-server", "--port", "0", "--unixsocket", str(self._socket)]
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [*command, "--save", "", "--appendonly", "no"],
                cwd=self._log.parent,
                stdout=output,
                stderr=output,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._socket.exists():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"Redis did not start: {self._log.read_text()}")
            time.sleep(0.01)

    def kill(self) -> None:
        """End it as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
        self._socket.unlink(missing_ok=True)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Around what is asked of it while it takes connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """Around its use. In a folder with a short name: the path of a socket has few characters."""
    with tempfile.TemporaryDirectory(prefix="redis") as folder:
        server = RedisServer(Path(folder))
        try:
            yield server
        finally:
            server.kill()
