"""What a flow must be to be stored: without problems, with the code of its functions, and without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbflow.core.check import check
from nbflow.core.errors import CheckError, DefinitionError
from nbflow.core.node import PYTHON_FUNCTION
from nbflow.core.problem import Problem
from nbflow.core.redaction import redactor
from nbflow.runtime.catalogue import FunctionCatalogue
from nbflow.workflows.triggers import trigger_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nbflow.core.flow import Flow, Node
    from nbflow.core.node import NodeType
    from nbflow.workflows.module import Module


def admit(flow: Flow, module: Module | None, functions: Mapping[str, NodeType] | None = None) -> None:
    """Raises CheckError with every problem. `functions`: those of the flow that are at hand; else what the module declares is believed."""
    known = functions if functions is not None else module.declarations() if module is not None else {}
    problems = check(flow, _Published(known)) or [*trigger_problems(flow), *_secrets(flow, module)]
    if problems:
        raise CheckError(flow.name, problems)


class _Published(FunctionCatalogue):
    """Nothing is imported here on behalf of a document: a server must not run what somebody names."""

    def resolve(self, node: Node) -> NodeType:
        name = str(node.config.get("function", ""))
        if node.type == PYTHON_FUNCTION and name not in self._functions:
            message = f"the code of the function '{name}' does not come with the flow; publish it where it is defined (`nbflow publish`)"
            raise DefinitionError(message)
        return super().resolve(node)


def _secrets(flow: Flow, module: Module | None) -> Iterator[Problem]:
    """The store would take them out, and the flow would be another one."""
    if not redactor.active:
        return
    for node in flow.nodes:
        for field, value in node.config.items():
            if redactor.definition({field: value}) != {field: value}:
                message = "it holds a secret, which would be kept in plain text; add a credential and give its name"
                yield Problem("secret", message, node.id, f"config.{field}")
    for file, source in module.files.items() if module is not None else ():
        if (clean := redactor.definition(source)) != source:
            lines = zip(clean.splitlines(), source.splitlines(), strict=False)
            line = next((number for number, (left, right) in enumerate(lines, 1) if left != right), 1)
            message = (
                f"its code ({file}, line {line}) holds a secret, which would be kept in plain text; take it from `ctx.credential(name)` in the node"
            )
            yield Problem("secret", message)
