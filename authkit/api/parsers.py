"""JSON as strict as its RFC, forms where an RFC asks for them, and both small."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

#: No body of this API is larger, in bytes.
MAX_LENGTH = 64 * 1024


class TooLarge(APIException):
    """413: the body is larger than any that this API takes."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = gettext_lazy("The body is too large.")
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
        octets = _read(stream)
        try:
            value = json.loads(octets.decode("utf-8"), parse_constant=_refuse_constant)
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except (ValueError, RecursionError):
            raise ParseError(_("The body is not valid JSON.")) from None
        if not isinstance(value, dict):
            raise ParseError(_("The body is not a JSON object."))
        return value


class SmallFormParser(BaseParser):
    """A form as OAuth's RFCs have it: UTF-8, whatever charset is claimed (RFC 6749 appendix B)."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> QueryDict:
        """The fields of the form.

        Raises:
            ParseError: 400, they are too many.
            TooLarge: 413.
        """
        octets = _read(stream)
        try:
            return QueryDict(octets, encoding="utf-8")
        except SuspiciousOperation:
            raise ParseError(_("The form has too many fields.")) from None


def _read(stream: IO[Any]) -> bytes:
    octets: bytes = stream.read(MAX_LENGTH + 1)
    if len(octets) > MAX_LENGTH:
        raise TooLarge
    return octets


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
