"""What is known of the program at the other end of a request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Client:
    """Address and self-description of a client; both may be unknown."""

    ip: str | None = None
    user_agent: str = ""


NOBODY = Client()
