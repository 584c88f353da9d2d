"""JSON objects that every reader understands alike (RFC 8259, RFC 7493 I-JSON).

Refused, because two readers could see two things: a name that stands twice in an object
(RFC 7519 §4 and RFC 8725 §2.6), ``NaN`` and infinities, text that is not Unicode, another
encoding than UTF-8, and nesting that no claim needs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

MAX_DEPTH = 16
_WHITESPACE = " \t\n\r"


class MalformedJson(ValueError):
    """The octets are not one strict JSON object."""


def write(value: Mapping[str, Any]) -> bytes:
    """Write an object in the shortest form and in the order of its names.

    Raises:
        ValueError: a number or a text that strict JSON does not have.
        TypeError: a value that JSON does not have.
    """
    return _ENCODER.encode(dict(value)).encode()


def read(octets: bytes) -> dict[str, Any]:
    """Read one object.

    Raises:
        MalformedJson: whatever is wrong with the octets.
    """
    try:
        text = octets.decode().strip(_WHITESPACE)
        value, end = _scan(text, 0)
        if octets.count(b"{") + octets.count(b"[") > MAX_DEPTH and _is_deep(value):
            raise MalformedJson("too deep")
        if b"\\u" in octets:  # only an escape can bring in half of a surrogate pair
            _ENCODER.encode(value).encode()
    except (ValueError, RecursionError, StopIteration):
        raise MalformedJson("not strict JSON") from None
    if end != len(text) or type(value) is not dict:
        raise MalformedJson("not one object")
    return value


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedJson("a name stands twice")
    return members


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise MalformedJson("not a finite number")
    return number


def _refuse(_: str) -> NoReturn:
    raise MalformedJson("not a number")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_refuse)
#: Stops where the value ends, or with StopIteration where there is none.
_scan: Any = _DECODER.scan_once  # type: ignore[attr-defined]
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)
