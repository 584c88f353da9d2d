"""Demo ID from the demo's side: its process, and the row that an administrator would make."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from authkit import sealing
from authkit.models import SocialProvider
from demo_project.demo_id.known import CLIENT_ID, CLIENT_SECRET

HOST = "127.0.0.1"
SLUG = "demo-id"
_PATIENCE = 30  # seconds
_HANDED_OUT = 32_768  # ports from here on are ephemeral (Linux; RFC 6335 begins at 49,152)
_ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def serving(demo_port: int) -> Iterator[tuple[int, Callable[[], bool]]]:
    """Demo ID in a process of its own, until the end of the block.

    Gives its port, and a function that waits until it answers (False: it does not).
    """
    port = _port_beside(demo_port)
    folder = tempfile.TemporaryDirectory(prefix="demo-id-")
    environment = {
        "DJANGO_SETTINGS_MODULE": "demo_project.demo_id.settings",
        "DEMO_ID_DATABASE": str(Path(folder.name) / "demo_id.sqlite3"),
    }
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "manage.py", "serve", str(port), *_options(demo_port)],
        cwd=_ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for us; it ends with its standard input
    )
    try:
        yield port, lambda: _answers(process, port)
    finally:
        process.communicate()
        folder.cleanup()


def load(demo_port: int, port: int) -> None:
    """Set the provider up as an administrator would on its page."""
    SocialProvider.objects.update_or_create(
        slug=SLUG,
        defaults={
            "kind": SocialProvider.Kind.OIDC,
            "name": "Demo ID",
            "issuer": f"http://{HOST}:{port}/o",
            "client_id": CLIENT_ID,
            "sealed_secret": sealing.seal(sealing.PROVIDER_SECRET, CLIENT_SECRET),
            "redirect_uris": redirect_uris(demo_port)[:2],
            "is_enabled": True,
        },
    )


def _answers(process: "subprocess.Popen[bytes]", port: int) -> bool:
    deadline = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return True
        time.sleep(0.05)
    return False


def redirect_uris(demo_port: int) -> list[str]:
    """The page that shows the dance, and authkit's own callback."""
    hosts = [f"http://{host}:{demo_port}" for host in (HOST, "localhost")]
    paths = ("/dance/", f"/auth/social/{SLUG}/callback/")
    return [host + path for path in paths for host in hosts]


def _options(demo_port: int) -> list[str]:
    return [text for uri in redirect_uris(demo_port) for text in ("--redirect-uri", uri)]


def _port_beside(demo_port: int) -> int:
    """The next port, so that the issuer stays the same; any other if that one is taken.

    Where the demo's own port is one of those that the system hands out, so is the next
    one: a connection of somebody else's may have it in a moment.
    """
    for wanted in (demo_port + 1, 0) if demo_port < _HANDED_OUT else (0,):
        with socket.socket() as probe, contextlib.suppress(OSError, OverflowError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, wanted))
            return int(probe.getsockname()[1])
    raise OSError("no port is free")
