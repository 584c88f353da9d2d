"""Answers that are made while they are being sent.

The view of a stream is over before its first part is made, and so is all that stands
around a view. What must hold for the parts as well is entered anew around each.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from django.http import FileResponse

Around = Callable[[], AbstractContextManager[Any]]


def send_within(response: Any, around: Around) -> None:
    """Make each part of a stream within `around()`, and end it so. A file is only read."""
    if not getattr(response, "streaming", False) or _is_file(response):
        return
    parts = response._iterator  # what Django makes of them, it makes of ours
    # Whoever hangs up ends the stream earlier, and what it does at its end is done then.
    closers = response._resource_closers
    closers[:] = [partial(_close, close, around) for close in closers]
    response.streaming_content = (
        _made_later(parts, around) if response.is_async else _made(parts, around)
    )


def _made(parts: Any, around: Around) -> Iterator[bytes]:
    made = iter(parts)
    while True:
        with around():
            try:
                part = next(made)
            except StopIteration:
                return
        yield part


async def _made_later(parts: Any, around: Around) -> AsyncIterator[bytes]:
    made = aiter(parts)
    try:
        while True:
            with around():
                try:
                    part = await anext(made)
                except StopAsyncIteration:
                    return
            yield part
    finally:
        with around():
            await getattr(made, "aclose", _nothing)()


async def _nothing() -> None:
    """Close what cannot be closed."""


def _close(close: Callable[[], Any], around: Around) -> None:
    with around():
        close()


def _is_file(response: Any) -> bool:
    """Whether a file is sent; a FileResponse takes anything else as well."""
    return isinstance(response, FileResponse) and response.file_to_stream is not None
