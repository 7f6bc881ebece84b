"""What the server and its worker kernels say to each other: JSON texts, as literals in the code of a cell and as display data of our own kind."""

from __future__ import annotations

from typing import Any

from nbflow.core.portable import dump, load
from nbflow.server.execution import Fault, Response, Result

MIME = "application/vnd.nbflow.worker+json"
RESPONDED, ENDED = "responded", "ended"


def call(function: str, value: Any) -> str:
    """The code of a cell that calls a function of `child` with a value."""
    return f"import nbflow.server.workers.child\nnbflow.server.workers.child.{function}({dump(value).decode()!r})"


def responded(response: Response) -> str:
    """A node has answered."""
    return dump({"kind": RESPONDED, "response": response._asdict()}).decode()


def ended(result: Result) -> str:
    """The execution has ended and is recorded."""
    error = result.error._asdict() if result.error else None
    message = {"kind": ENDED, "status": result.status, "outputs": result.outputs, "last": result.last, "error": error}
    return dump(message).decode()


def read(text: str, execution_id: str) -> Response | Result:
    """What a kernel said."""
    message = load(text)
    if message["kind"] == RESPONDED:
        return Response(**message["response"])
    return Result(
        execution_id=execution_id,
        status=message["status"],
        outputs=message["outputs"],
        last=message["last"],
        error=Fault(**message["error"]) if message["error"] else None,
    )
