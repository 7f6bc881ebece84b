"""Settings of nodes and flows that no execution could follow. Code bad-settings."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from nbflow.core.flow import NodeSettings
from nbflow.core.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbflow.core.flow import FlowSettings, Node, Retry
    from nbflow.core.node import NodeType

_ZERO = timedelta(0)
_PLAIN = NodeSettings()


def node_settings_problems(node: Node, node_type: NodeType | None) -> Iterator[Problem]:
    """`node_type` is None when it is unknown."""
    settings = node.settings
    if settings == _PLAIN:
        return
    found = _retry_problems(settings.retry) if settings.retry else []
    if settings.timeout is not None and settings.timeout <= _ZERO:
        found.append(("timeout", "a time limit is longer than 0; leave it out for none"))
    if settings.concurrency is not None and settings.concurrency < 1:
        found.append(("concurrency", f"{settings.concurrency} calls at a time are none; give at least 1, or leave it out for no limit"))
    if settings.each and node_type is not None and (node_type.container or node_type.trigger):
        kind = "a loop goes through its items itself" if node_type.container else "a trigger has no input to go through"
        found.append(("each", f"`each` is not for this node: {kind}"))
    for field, message in found:
        yield Problem("bad-settings", message, node.id, f"settings.{field}")


def flow_settings_problems(settings: FlowSettings) -> Iterator[Problem]:
    """Of the flow as a whole."""
    if settings.concurrency < 1:
        yield Problem("bad-settings", f"{settings.concurrency} nodes at a time are none; give at least 1", field="settings.concurrency")
    if settings.timeout is not None and settings.timeout <= _ZERO:
        yield Problem("bad-settings", "a time limit is longer than 0; leave it out for none", field="settings.timeout")
    if settings.max_running is not None and settings.max_running < 1:
        message = f"{settings.max_running} executions at a time are none; give at least 1, or leave it out for no limit"
        yield Problem("bad-settings", message, field="settings.max_running")
    if not _is_time_zone(settings.timezone):
        message = f"there is no time zone '{settings.timezone}'; use an IANA name such as UTC or Europe/Berlin"
        yield Problem("bad-settings", message, field="settings.timezone")


def _retry_problems(retry: Retry) -> list[tuple[str, str]]:
    checks = [
        (retry.max_tries < 1, "max_tries", f"{retry.max_tries} tries are none; 1 means no retry, 3 two more after the first"),
        (retry.wait < _ZERO, "wait", "a wait cannot be negative"),
        (retry.max_wait < _ZERO, "max_wait", "a wait cannot be negative"),
        (retry.backoff <= 0, "backoff", f"a factor is above 0, not {retry.backoff}; 1 keeps the wait, 2 doubles it each time"),
        (not 0 <= retry.jitter <= 1, "jitter", f"a share is between 0 and 1, not {retry.jitter}; 0.1 is up to 10 %"),
    ]
    return [(f"retry.{field}", message) for wrong, field, message in checks if wrong]


@lru_cache(maxsize=64)
def _is_time_zone(name: str) -> bool:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError; a folder's name gives an OSError
        return False
    return True
