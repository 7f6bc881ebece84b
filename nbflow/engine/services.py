"""What an execution borrows: clock, HTTP, project folder, and the makers of error records and rich bundles."""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from nbflow.core.errors import CredentialError
from nbflow.core.events import ErrorRecord
from nbflow.core.redaction import redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbflow.core.node import Credential


class Clock(Protocol):
    """Time, lent so that a test can own it."""

    def now(self) -> datetime:
        """Aware, UTC."""

    async def sleep(self, seconds: float) -> None:
        """Returns after that long on this clock."""


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Returns after that long."""
        await asyncio.sleep(seconds)


def describe_error(error: BaseException) -> ErrorRecord:
    """The plain form; the runtime lends one that puts the user's lines first."""
    return ErrorRecord(
        type=type(error).__name__,
        message=redactor.text(str(error)),
        traceback=redactor.text("".join(traceback.format_exception(error))),
        retryable=getattr(error, "retryable", False),
    )


def no_bundle(_value: object) -> Mapping[str, Any] | None:
    """Makes no rich forms; the runtime lends a maker that does."""
    return None


def no_http() -> Any:
    """Stands in where no HTTP client was lent."""
    message = "no HTTP client was lent to this execution"
    raise RuntimeError(message)


def no_credential(name: str, _kind: str | None) -> Credential:
    """Stands in where no credentials were lent."""
    message = f"credential '{name}' is asked for, but no credentials were lent to this execution"
    raise CredentialError(message)


def ignore_call(_call: object, _value: object) -> None:
    """Nothing to do when a node's function has returned; the runtime lends one that gathers open figures."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """Everything is optional: the defaults make an engine that needs nothing."""

    clock: Clock = field(default_factory=SystemClock)
    http: Callable[[], Any] = no_http  # gives the shared httpx.AsyncClient of the running loop
    credential: Callable[[str, str | None], Credential] = no_credential  # by name, and kind where that matters
    project: Callable[[], Path] = Path.cwd
    describe_error: Callable[[BaseException], ErrorRecord] = describe_error
    bundle: Callable[[Any], Mapping[str, Any] | None] = no_bundle
    after_call: Callable[[Any, Any], None] = ignore_call  # on the thread of the call, with its NodeCall and its value
