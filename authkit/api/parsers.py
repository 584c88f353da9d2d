"""JSON as strict as its RFC, and small."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

#: No body of this API is larger, in bytes.
MAX_LENGTH = 64 * 1024


class TooLarge(APIException):
    """413: the body is larger than any that this API takes."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."
    default_code = "too_large"


class StrictJSONParser(BaseParser):
    """One JSON object in UTF-8 (RFC 8259): no NaN, no lone surrogates, no depth that overflows."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The object in the body.

        Raises:
            ParseError: 400, it is not one.
            TooLarge: 413.
        """
        octets = stream.read(MAX_LENGTH + 1)
        if len(octets) > MAX_LENGTH:
            raise TooLarge
        try:
            value = json.loads(octets.decode("utf-8"), parse_constant=_refuse_constant)
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except (ValueError, RecursionError):
            raise ParseError("The body is not valid JSON.") from None
        if not isinstance(value, dict):
            raise ParseError("The body is not a JSON object.")
        return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
