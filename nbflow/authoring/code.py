"""A flow document as the Python that draws it, written as one would write it by hand."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from nbflow.authoring.drawing import Drawing
from nbflow.authoring.formatting import WIDTH, Code, Group, Item, Text, block, call, render
from nbflow.authoring.functions import Functions
from nbflow.authoring.literal import duration_code, value_code
from nbflow.authoring.names import Imports, Names
from nbflow.authoring.signature import Parameter, named_only, signature_of
from nbflow.authoring.statements import Statements
from nbflow.core.errors import DefinitionError
from nbflow.core.flow import FlowSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from nbflow.core.flow import Flow
    from nbflow.core.node import Catalogue


def to_python(flow: Flow, sources: Mapping[str, str] | None = None, *, catalogue: Catalogue) -> str:
    """Code that draws this document: executed as `__main__`, its `@flow` function has a document of the same hash.

    `sources`: Python by the name of a function in the document (`__main__:clean`); a text that several functions share is written once, with
    everything in it. Functions of modules are imported. A function of `__main__` without a source becomes a stub that draws and cannot run.
    `catalogue` tells the ports.

    Nodes are written in the order of what needs what, otherwise as in the document: one whose nodes or edges stand in another order than code
    draws them differs in that order, which means nothing (edges into one port keep theirs). Layout and sticky notes
    are not in the code.

    Raises DefinitionError, naming node and field, for what no code draws: edges to nowhere or out of loops, ports that do not exist, several
    edges into a port that takes one, circles, unknown types, functions without a name at the top level.
    """
    try:
        return _Writer(flow, sources or {}, catalogue).text()
    except DefinitionError as error:
        message = f"flow '{flow.name}' cannot be written as Python: {error}"
        raise DefinitionError(message) from None


class _Writer:
    def __init__(self, flow: Flow, sources: Mapping[str, str], catalogue: Catalogue) -> None:
        self._flow = flow
        self._drawing = Drawing(flow, catalogue)
        self._names = Names()
        self._imports = Imports(self._names)
        signature = signature_of(flow.parameters)
        self._signature = named_only(flow.parameters) if signature is None else signature
        self._explicit = signature is None
        self._parameters = {parameter.name for parameter in self._signature if parameter.name != "*"}
        self._names.take(self._parameters)
        self._functions = Functions(flow, sources, catalogue=catalogue, imports=self._imports, names=self._names, hidden=self._parameters)

    def text(self) -> str:
        """The whole file."""
        flow = self._flow
        nf = self._imports.module("nbflow", "nf", beside=self._parameters)
        calls = {self._functions.of(node).call.partition(".")[0] for node in flow.nodes if node.id not in self._drawing.types}
        taken = {nf, "timedelta", *calls, *self._parameters}
        body = Statements(self._drawing, self._functions, nf=nf, parameters=self._parameters, taken=taken, timedelta_name=self._timedelta).lines()
        decorator = self._imports.part("nbflow", "flow")
        name = self._names.free(flow.name if flow.name.isidentifier() else flow.name.lower())
        head, docstring = self._decorator(decorator, name)
        lines = [*docstring, *body] or ["    pass"]
        definition = "\n".join([head, self._definition(name), *lines])
        uses_nf = any(f"{nf}." in part for part in (*self._functions.above, *body))
        if not uses_nf:
            self._imports.drop("nbflow", nf)
        return "\n\n\n".join(["\n".join(self._imports.lines()), *self._functions.above, definition]) + "\n"

    def _timedelta(self) -> str:
        return self._imports.part("datetime", "timedelta", beside=self._parameters)

    def _definition(self, name: str) -> str:
        items = tuple(Item("", self._parameter(parameter)) for parameter in self._signature)
        return render(Group(f"def {name}(", items, "):"), 0, 0)

    def _parameter(self, parameter: Parameter) -> Code:
        annotation = parameter.annotation.write(self._imports.part) if parameter.annotation else ""
        text = f"{parameter.name}: {annotation}" if annotation else parameter.name
        if parameter.default is None:
            return text
        sign = " = " if annotation else "="
        if isinstance(parameter.default, Group):
            return Group(text + sign + parameter.default.open, parameter.default.items, parameter.default.close)
        return text + sign + render(parameter.default, 4, 4 + len(text) + 3, 1)

    def _decorator(self, flow: str, name: str) -> tuple[str, list[str]]:
        """The line above `def`, and the docstring below it."""
        document = self._flow
        docstring = _docstring(document.description)
        items: list[Item] = []
        if name != document.name:
            items.append(Item("name=", Text(document.name)))
        if document.description and docstring is None:
            items.append(Item("description=", value_code(document.description)))
        if self._explicit:
            items.append(Item("parameters=", _value("parameters", document.parameters)))
        plain = FlowSettings()
        for setting in FlowSettings.__dataclass_fields__:
            value = getattr(document.settings, setting)
            if value != getattr(plain, setting):
                items.append(Item(f"{setting}=", self._setting(setting, value)))
        code: Code = call(f"@{flow}", *items) if items else f"@{flow}"
        return render(code, 0, 0), docstring or []

    def _setting(self, name: str, value: Any) -> Code:
        if name == "timeout":
            return duration_code(value, _seconds, self._timedelta)
        return _value(f"settings.{name}", value)


def _value(where: str, value: Any) -> Code:
    try:
        return value_code(value)
    except ValueError as error:
        message = f"field '{where}': {error}"
        raise DefinitionError(message) from None


def _seconds(value: float) -> timedelta:
    from datetime import timedelta

    return timedelta(seconds=value)


def _docstring(description: str) -> list[str] | None:
    """The lines of a docstring that reads back as exactly this description; None when there is none such."""
    if not description:
        return None
    lines = description.split("\n")
    value = "\n".join([lines[0], *(f"    {line}" if line else "" for line in lines[1:])])
    several = len(lines) > 1
    shown = block(value + ("\n" if several else ""), margin="    " if several else "")
    if shown is None or inspect.cleandoc(value) != description or any(len(line) + 4 > WIDTH for line in shown.split("\n")):
        return None
    return (f"    {shown}").split("\n")
