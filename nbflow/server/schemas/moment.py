"""Instants in requests."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")


def _text(value: Any) -> Any:
    if isinstance(value, str) and not _ISO.fullmatch(value):
        msg = "a time is written as in ISO 8601: 2026-11-23T09:00:00Z, or 2026-11-23 for its first moment"
        raise ValueError(msg)
    return value


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:  # the first or last day of the calendar, in another zone
        return value.replace(tzinfo=UTC)


Moment = Annotated[datetime, BeforeValidator(_text), AfterValidator(_utc)]
"""ISO 8601, aware and in UTC once it is read; without a zone it is UTC. Numbers are no times: nobody could tell seconds from milliseconds."""
