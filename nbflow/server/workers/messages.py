"""What the server and its worker kernels say to each other: JSON texts, as literals in the code of a cell and as display data of our own kind."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from nbflow.core.portable import dump, load
from nbflow.server.execution import Fault, Response, Result
from nbflow.store.journal import Position

MIME = "application/vnd.nbflow.worker+json"
RESPONDED, WRITTEN, ENDED = "responded", "written", "ended"


def call(function: str, value: Any) -> str:
    """The code of a cell that calls a function of `child` with a value."""
    return f"import nbflow.server.workers.child\nnbflow.server.workers.child.{function}({dump(value).decode()!r})"


def responded(response: Response) -> str:
    """A node has answered."""
    return dump({"kind": RESPONDED, "response": response._asdict()}).decode()


def written(position: Position) -> str:
    """All that the execution has told is in the kernel's journal up to here."""
    return dump({"kind": WRITTEN, **asdict(position)}).decode()


def ended(result: Result) -> str:
    """The execution has ended and is recorded."""
    error = result.error._asdict() if result.error else None
    message = {"kind": ENDED, "status": result.status, "outputs": result.outputs, "last": result.last, "error": error}
    return dump(message).decode()


def read(text: str, execution_id: str) -> Response | Position | Result:
    """What a kernel said."""
    message = load(text)
    if message["kind"] == RESPONDED:
        return Response(**message["response"])
    if message["kind"] == WRITTEN:
        return Position(file=message["file"], offset=message["offset"])
    return Result(
        execution_id=execution_id,
        status=message["status"],
        outputs=message["outputs"],
        last=message["last"],
        error=Fault(**message["error"]) if message["error"] else None,
    )
