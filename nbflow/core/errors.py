"""One tree of errors. Attributes carry the facts; the message says what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from nbflow.core.problem import Problem


class NbflowError(Exception):
    """Base of every error that nbflow raises on purpose."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the message. IPython asks for this before it makes a traceback of its own."""
        return [f"{type(self).__name__}: {self}"]


# Before a run -----------------------------------------------------------------------------------


class DefinitionError(NbflowError):
    """A decorated flow or node cannot be turned into a document."""


class DocumentError(NbflowError):
    """A text is not a flow document (corrupt JSON, wrong shape, unknown document version)."""


class UnknownNodeTypeError(NbflowError):
    """No installed node type has this name."""

    def __init__(self, type_: str, suggestions: Sequence[str] = ()) -> None:
        self.type = type_
        self.suggestions = tuple(suggestions)
        hint = f"; did you mean {' or '.join(suggestions)}?" if suggestions else ""
        super().__init__(f"unknown node type '{type_}'{hint} (`nbflow nodes` lists the installed ones)")


class CheckError(NbflowError):
    """The flow document has problems; nothing ran. `problems` lists them all."""

    def __init__(self, flow: str, problems: Sequence[Problem]) -> None:
        self.flow = flow
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in problems)
        count = f"{len(problems)} problem" + ("s" if len(problems) > 1 else "")
        super().__init__(f"flow '{flow}' has {count}:\n{lines}")


class ParameterError(NbflowError):
    """A value given for a flow's parameter is missing, unknown, or of the wrong type."""

    def __init__(self, flow: str, field: str, message: str) -> None:
        self.flow = flow
        self.field = field
        super().__init__(f"flow '{flow}', parameter '{field}': {message}")


# Inside a node ----------------------------------------------------------------------------------


class NodeError(NbflowError):
    """A node could not do its work. `retryable` says whether trying again can help."""

    retryable = False

    def __init__(self, message: str, *, retryable: bool | None = None) -> None:
        super().__init__(message)
        if retryable is not None:
            self.retryable = retryable


class ConfigError(NodeError):
    """A config field has a value the node cannot work with (found after expressions were evaluated)."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        self.field = field
        super().__init__(f"field '{field}': {message}" if field else message)


class ExpressionError(NodeError):
    """An `{{ expression }}` is malformed or failed."""

    def __init__(self, message: str, *, expression: str = "", field: str | None = None) -> None:
        self.expression = expression
        self.field = field
        where = f"field '{field}': " if field else ""
        super().__init__(f"{where}{message}")


class InputError(NodeError):
    """The value that arrived at the node is not what the node can handle."""

    def __init__(self, message: str, *, index: int | None = None) -> None:
        self.index = index
        super().__init__(f"item {index}: {message}" if index is not None else message)


class MissingExtraError(NodeError):
    """A node needs an optional package that is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f'{what} needs an optional package: pip install "nbflow[{extra}]"')


class RemoteError(NodeError):
    """A remote service answered with an error. `body` is cut to 2 kB."""

    def __init__(self, message: str, *, status: int | None = None, body: str = "", retryable: bool | None = None) -> None:
        self.status = status
        self.body = body[:2000]
        if retryable is None and status is not None:
            retryable = status in {408, 425, 429} or status >= 500  # noqa: PLR2004 -- HTTP's own numbers
        super().__init__(message, retryable=retryable)


class RateLimitedError(RemoteError):
    """The service asks to come back later. `retry_after` is in seconds, None when it did not say."""

    retryable = True

    def __init__(self, message: str, *, status: int = 429, body: str = "", retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message, status=status, body=body, retryable=True)


class ProtocolError(NodeError):
    """An answer broke its own protocol: bad JSON, a stream cut short."""


class PartialError(NodeError):
    """Some items worked and some did not."""

    def __init__(self, message: str, *, succeeded: Sequence[object] = (), failed: Sequence[object] = ()) -> None:
        self.succeeded = tuple(succeeded)
        self.failed = tuple(failed)
        super().__init__(message)


class NodeTimeoutError(NodeError):
    """The node was still running when its time was over."""

    retryable = True


class LimitError(NodeError):
    """A loop, a process or an output went past its declared limit."""


# A run ------------------------------------------------------------------------------------------


class ExecutionError(NbflowError):
    """An execution failed. `node` is the failing node's id; `__cause__` is its own exception.

    `report` is that exception's traceback with the user's own lines first; `execution` is the handle, where there is one.
    """

    def __init__(self, message: str, *, execution_id: str = "", node: str | None = None) -> None:
        self.execution_id = execution_id
        self.node = node
        self.report = ""
        self.execution: Any = None
        super().__init__(message)

    def _render_traceback_(self) -> list[str]:
        lines = [f"{type(self).__name__}: {self}"]
        return [*lines, "", self.report] if self.report else lines


class ExecutionCancelledError(ExecutionError):
    """The execution was cancelled before it finished."""


class FlowTimeoutError(ExecutionError):
    """The flow was still running when its own time was over."""


# The store --------------------------------------------------------------------------------------


class StoreError(NbflowError):
    """The project's history cannot be read or written."""


class StoreReadOnlyError(StoreError):
    """The project folder refuses writing."""


class StoreBusyError(StoreError):
    """The store's owner did not answer within the time given, or another program holds the database file."""


class QueryError(StoreError):
    """SQL given to `nbflow.sql` is wrong, or reads something that does not exist."""


class UnknownExecutionError(StoreError):
    """No execution has this id (or this beginning of an id)."""
