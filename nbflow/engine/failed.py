"""How a node's error travels out of its scope."""

from __future__ import annotations


class NodeFailed(Exception):  # noqa: N818 -- never leaves the engine
    """`error` is the node's own; CancelledError when the node was interrupted."""

    def __init__(self, node: str, path: tuple[int, ...], error: BaseException) -> None:
        super().__init__(f"node '{node}' failed: {error}")
        self.node = node
        self.path = path
        self.error = error


def cause_of(error: BaseException) -> BaseException:
    """The error of the innermost node that failed."""
    return error.error if isinstance(error, NodeFailed) else error
