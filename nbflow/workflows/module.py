"""The code of a published flow: files that a fresh process can import, and where in them each function of the document is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NoReturn, get_args

from nbflow.core.errors import DefinitionError, DocumentError
from nbflow.core.node import PYTHON_FUNCTION, Inputs, Join, NodeType, Port, Where

if TYPE_CHECKING:
    from typing import Self


_FIELDS = frozenset({"entry", "folder", "functions", "files", "ports"})
_PORT_FIELDS = frozenset({"inputs", "outputs", "join", "where", "context"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Module:
    """Python sources that travel with a flow.

    `files`: relative file name (posix, below the module's own folder) -> source; local modules lie at their import paths.
    `entry`: the file made of the notebook's cells. `folder`: where the notebook lies, as seen from the project's folder (posix, `.` is
    that itself): the working directory of executions. `functions`: name in the document (`__main__:clean`) -> qualified name in the entry (`clean`),
    or `module:name` for one of another module. `ports`: what the functions declare, as plain JSON, so that a document can be checked without
    running the code (see `declarations`).
    """

    files: Mapping[str, str]
    entry: str
    folder: str = "."
    functions: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "entry": self.entry,
            "folder": self.folder,
            "functions": dict(self.functions),
            "files": dict(sorted(self.files.items())),
            "ports": {name: dict(facts) for name, facts in self.ports.items()},
        }

    @classmethod
    def from_dict(cls, data: object, *, source: str = "module") -> Self:
        """Raises DocumentError for another shape, and for file names that lead out of the module's folder."""
        if not isinstance(data, Mapping):
            _wrong(source, "a module is a JSON object")
        if unknown := sorted(set(data) - _FIELDS):
            _wrong(source, f"unknown field '{unknown[0]}'")
        files, functions = _texts(data.get("files"), source, "files"), _texts(data.get("functions", {}), source, "functions")
        ports = _checked_ports(data.get("ports", {}), source)
        for name in files:
            if not _inside(name) or not name.endswith(".py"):
                _wrong(source, f"file '{name}' is no relative name of a Python file inside the module's folder")
        entry, folder = str(data.get("entry")), data.get("folder", ".")
        if entry not in files:
            _wrong(source, f"'entry' is '{entry}', which is none of its files")
        if not isinstance(folder, str) or not folder or PurePosixPath(folder).is_absolute() or "\0" in folder:
            _wrong(source, f"'folder' is {folder!r}; it is a folder as seen from the project's, such as notebooks")
        return cls(files=files, entry=entry, folder=folder, functions=functions, ports=ports)

    @property
    def hash(self) -> str:
        """SHA-256 (hex, 64 characters) of everything in it."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def declarations(self) -> dict[str, NodeType]:
        """By name in the document: ports of the functions, for checking. They cannot be called: `loading.load_module` makes those that can."""
        return {name: _declaration(name, self.ports[name]) for name in self.functions if name in self.ports}


def ports_of(declared: NodeType) -> dict[str, Any]:
    """What `Module.ports` keeps of a function's declaration. Types of values are not kept: they are Python objects."""
    return {
        "inputs": [{"name": port.name, "required": port.required, "many": port.many} for port in declared.inputs],
        "outputs": list(declared.outputs_of({})),
        "join": declared.join_of({}),
        "where": declared.where,
        "context": declared.takes_context,
    }


def _declaration(name: str, facts: Mapping[str, Any]) -> NodeType:
    def elsewhere(*_: Any, **__: Any) -> NoReturn:
        message = f"the function '{name}' is in its published module; load that first"
        raise DefinitionError(message)

    inputs = tuple(
        Port(
            name=str(port["name"]),
            required=bool(port.get("required", True)),
            many=bool(port.get("many")),
            annotation=Inputs if port.get("many") else None,
        )
        for port in facts.get("inputs", ())
    )
    return NodeType(
        type=PYTHON_FUNCTION,
        function=elsewhere,
        inputs=inputs,
        outputs=tuple(facts.get("outputs", ("output",))),
        join=facts.get("join", "all"),
        where=facts.get("where"),
        takes_context=facts.get("context"),
    )


def _checked_ports(ports: object, source: str) -> dict[str, dict[str, Any]]:
    if not isinstance(ports, Mapping) or not all(isinstance(facts, Mapping) for facts in ports.values()):
        _wrong(source, "'ports' is an object of objects")
    for name, facts in ports.items():
        inputs, outputs = facts.get("inputs", []), facts.get("outputs", [])
        right = (
            facts.keys() <= _PORT_FIELDS
            and isinstance(inputs, list)
            and all(isinstance(port, Mapping) and isinstance(port.get("name"), str) for port in inputs)
            and isinstance(outputs, list)
            and all(isinstance(port, str) for port in outputs)
            and facts.get("join", "all") in get_args(Join)
            and facts.get("where") in (None, *get_args(Where))
            and isinstance(facts.get("context"), str | None)
        )
        if not right:
            _wrong(source, f"'ports' of '{name}' is not what a function declares (inputs, outputs, join, where, context)")
    return {str(name): dict(facts) for name, facts in ports.items()}


def _texts(value: object, source: str, field_: str) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(item, str) for pair in value.items() for item in pair):
        _wrong(source, f"'{field_}' is an object of texts")
    return dict(value)


def _inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts and "\\" not in name and "\0" not in name


def _wrong(source: str, reason: str) -> NoReturn:
    message = f"{source}: {reason}; export the workflow again"
    raise DocumentError(message)
