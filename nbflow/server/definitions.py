"""Definitions made ready to run, kept by version: checking and compiling is done once, not once a request."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from nbflow.authoring.trace import Definition
from nbflow.core.errors import DefinitionError
from nbflow.core.node import PYTHON_FUNCTION
from nbflow.runtime.runtime import Prepared, prepare

if TYPE_CHECKING:
    from nbflow.core.flow import Flow
    from nbflow.server.execution import ExecutionRequest
    from nbflow.workflows.module import Module

_KEPT = 512
_CODE = "action.code"  # node types that run a user's code begin so


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """`here`: on the server's own loop. `worker`: in a worker kernel, since it runs code of users."""

    prepared: Prepared
    module: Module | None
    where: Literal["here", "worker"]


class Definitions:
    """Keeps the ones used last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Any, tuple[Flow, Ready]] = OrderedDict()

    def ready(self, request: ExecutionRequest) -> Ready:
        """Raises CheckError, DefinitionError."""
        key = request.version_id or id(request.flow)
        kept = self._kept.get(key)
        if kept is not None and (request.version_id is not None or kept[0] is request.flow):
            self._kept.move_to_end(key)
            return kept[1]
        ready = _made(request.flow, request.module)
        self._kept[key] = (request.flow, ready)  # the flow too: its id stays its own as long as it lives
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return ready


def _made(flow: Flow, module: Module | None) -> Ready:
    published = module.functions if module is not None else {}
    for node in flow.nodes:
        name = str(node.config.get("function", ""))
        if node.type == PYTHON_FUNCTION and name not in published:
            message = (
                f"flow '{flow.name}', node '{node.id}': the code of the function '{name}' is not published; use flow.publish() or `nbflow publish`"
            )
            raise DefinitionError(message)
    code = any(node.type == PYTHON_FUNCTION or node.type.startswith(_CODE) for node in flow.nodes)
    prepared = prepare(Definition(flow=flow, functions=module.declarations() if module is not None else {}))
    return Ready(prepared=prepared, module=module, where="worker" if code else "here")
