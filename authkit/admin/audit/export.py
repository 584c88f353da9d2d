"""Events for other programs: as CSV (RFC 4180) or one JSON object on a line, as they are read."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.cache import add_never_cache_headers

from authkit.admin.audit import finding
from authkit.audit import facts_of
from authkit.kernel import visible
from authkit.models import AuditEvent

_STEP = 2000
_NAMES = (
    "id",
    "at",
    "kind",
    "actor",
    "actor_name",
    "impersonator",
    "impersonator_name",
    "subject",
    "session",
    "ip",
    "user_agent",
    "data",
)


class _Line:
    """A file for `csv` that hands each line back."""

    def write(self, line: str) -> str:
        return line


def as_csv(events: Iterable[AuditEvent]) -> Iterator[str]:
    """For spreadsheets: nothing is a formula, hides, or breaks its line."""
    writer = csv.writer(_Line(), lineterminator="\r\n")
    yield writer.writerow(_NAMES)
    for event in events:
        yield writer.writerow(_cells(facts_of(event)))


def as_json_lines(events: Iterable[AuditEvent]) -> Iterator[str]:
    """For programs (jsonlines.org): ASCII, all else escaped."""
    for event in events:
        yield json.dumps(facts_of(event), sort_keys=True) + "\n"


#: Format -> (content type, how it is written).
FORMATS: dict[str, tuple[str, Callable[[Iterable[AuditEvent]], Iterator[str]]]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "jsonl": ("application/jsonl; charset=utf-8", as_json_lines),
}


def response(
    request: HttpRequest, branches: Sequence[finding.Events], form: str
) -> StreamingHttpResponse:
    """Write events out while they are read, some at a time."""
    content_type, write = FORMATS[form]
    lines = write(finding.all_of(branches, step=_STEP))
    answer = StreamingHttpResponse(streamed(request, lines), content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="audit.{form}"'
    add_never_cache_headers(answer)
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def streamed(request: HttpRequest, lines: Iterator[str]) -> Any:
    """Lines, as they are sent piece by piece; no event loop is held up, nor are all kept."""
    pieces = _packed(lines)
    return _aside(pieces) if isinstance(request, ASGIRequest) else pieces


def _cells(facts: dict[str, Any]) -> list[str]:
    data = json.dumps(facts["data"], ensure_ascii=False, sort_keys=True)
    values = [data if name == "data" else facts[name] for name in _NAMES]
    return ["" if value is None else visible.cell(str(value)) for value in values]


def _packed(lines: Iterator[str]) -> Iterator[str]:
    """Fewer and larger pieces: each is a write to the network."""
    while some := "".join(islice(lines, 500)):
        yield some


async def _aside(pieces: Iterator[str]) -> AsyncIterator[str]:
    """The same where requests are answered by an event loop, which nothing may hold up."""
    read = sync_to_async(lambda: next(pieces, ""))
    while piece := await read():
        yield piece
