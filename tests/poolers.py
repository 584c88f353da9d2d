"""What may stand between Django and PostgreSQL, and shares the server's processes out."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from shutil import which
from typing import Any

from django.db import connection

PATIENCE = 10
ADDRESS = "127.0.0.1"

_CONFIGURATION = """
[databases]
* = {server}
[pgbouncer]
listen_addr = {address}
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
ignore_startup_parameters = extra_float_digits, options
"""


def why_no_pgbouncer() -> str:
    """What is missing; nothing if that is empty."""
    return "" if which("pgbouncer") else "no pgbouncer on the PATH"


@contextmanager
def pgbouncer(mode: str, *, size: int) -> Iterator[dict[str, Any]]:
    """Around its use: what stands in DATABASES instead of the server's own address."""
    where = {"HOST": ADDRESS, "PORT": str(_free_port())}
    with tempfile.TemporaryDirectory(prefix="pgbouncer") as folder:
        Path(folder).chmod(0o755)  # it does not run as root
        file = Path(folder, "pgbouncer.ini")
        file.write_text(
            _CONFIGURATION.format(
                server=_server(), address=ADDRESS, port=where["PORT"], mode=mode, size=size
            )
        )
        as_whom = ["-u", "postgres"] if os.geteuid() == 0 else []
        with Path(folder, "log").open("wb") as log:
            process = subprocess.Popen(
                ["pgbouncer", "-q", *as_whom, str(file)], stdout=log, stderr=log
            )
        try:
            _wait_for(process, int(where["PORT"]), Path(folder, "log"))
            yield where
        finally:
            process.kill()
            process.wait(PATIENCE)


@contextmanager
def indiscreet_pooler() -> Iterator[dict[str, Any]]:
    """A pooler that hands on the number of the first process that it asks, then asks others.

    Each client has two of the server's processes, which take turns with its queries.
    """
    with socket.create_server((ADDRESS, 0)) as door, ExitStack() as opened:
        threading.Thread(target=_let_in, args=(door, opened), daemon=True).start()
        try:
            yield {"HOST": ADDRESS, "PORT": str(door.getsockname()[1])}
        finally:
            with suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)


def _let_in(door: socket.socket, opened: ExitStack) -> None:
    with suppress(OSError):
        while True:
            client = opened.enter_context(door.accept()[0])
            threading.Thread(target=_serve, args=(client,), daemon=True).start()


def _serve(client: socket.socket) -> None:
    with suppress(OSError, EOFError), ExitStack() as opened:
        begin = _read(client, typed=False)
        while struct.unpack("!i", begin[4:8])[0] != 196608:  # asks for encryption
            client.sendall(b"N")
            begin = _read(client, typed=False)
        servers = [opened.enter_context(_dial()) for _ in range(2)]
        greetings = []
        for server in servers:
            server.sendall(begin)
            greetings.append(_until_ready(server))
        client.sendall(greetings[0])
        turn = 0
        while (message := _read(client))[:1] == b"Q":
            server = servers[turn % 2]
            server.sendall(message)
            client.sendall(_until_ready(server))
            turn += 1


def _until_ready(server: socket.socket) -> bytes:
    said = b""
    while True:
        message = _read(server)
        said += message
        if message[:1] == b"Z":
            return said


def _read(peer: socket.socket, *, typed: bool = True) -> bytes:
    head = _exactly(peer, 5 if typed else 4)
    return head + _exactly(peer, struct.unpack("!i", head[-4:])[0] - 4)


def _exactly(peer: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = peer.recv(count - len(found))
        if not part:
            raise EOFError
        found += part
    return found


def _dial() -> socket.socket:
    settings = connection.settings_dict
    return socket.create_connection((settings["HOST"] or ADDRESS, int(settings["PORT"] or 5432)))


def _server() -> str:
    settings = connection.settings_dict
    names = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password"}
    return " ".join(f"{name}={settings[key]}" for key, name in names.items() if settings[key])


def _free_port() -> int:
    with socket.create_server((ADDRESS, 0)) as door:
        return int(door.getsockname()[1])


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        with suppress(OSError), socket.create_connection((ADDRESS, port)):
            return
        if time.monotonic() > deadline or process.poll() is not None:
            raise RuntimeError(f"PgBouncer did not start: {log.read_text()}")
        time.sleep(0.01)
