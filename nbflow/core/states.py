"""The states that things can be in, and the other closed sets of words that the store keeps."""

from __future__ import annotations

from enum import StrEnum


class ExecutionStatus(StrEnum):
    """The states of an execution, and of a node in it (a node can also be `skipped`)."""

    PENDING = "pending"  # accepted, durable, not begun
    RUNNING = "running"  # at least one node has begun
    WAITING = "waiting"  # suspended until a time or a resume call; costs no thread
    COMPLETED = "completed"  # ended, and the flow's outputs are there
    FAILED = "failed"  # ended by an error that no node or flow setting absorbed
    CANCELLED = "cancelled"  # ended by a person, a parent or a time limit


class NodeStatus(StrEnum):
    """The states of one node in one execution."""

    PENDING = "pending"  # not all inputs have arrived
    RUNNING = "running"  # its function is executing (or waiting for a retry)
    WAITING = "waiting"  # sleeping in logic.wait or behind a concurrency limit
    COMPLETED = "completed"  # returned a value
    FAILED = "failed"  # raised after the last try
    CANCELLED = "cancelled"  # stopped from outside
    SKIPPED = "skipped"  # a branch upstream went the other way


class LogLevel(StrEnum):
    """Levels of log lines; `stdout` lines are info, `stderr` lines are warn."""

    INFO = "info"
    WARN = "warn"
    ERROR = "error"
    DEBUG = "debug"


class Role(StrEnum):
    """What a member of an organization may do."""

    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    VIEWER = "viewer"
    GUEST = "guest"
    MEMBER = "member"


class PlanName(StrEnum):
    """The plan of an organization."""

    FREE = "free"
    PRO = "pro"
    TEAM = "team"
    ENTERPRISE = "enterprise"


ENDED = frozenset({ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.CANCELLED})
