"""The flow document: the one thing that decorators, canvas, files, engine, store and server share.

Canonical JSON: keys in declaration order, defaults left out, layout apart from meaning, so that a diff in git
shows what changed and moving a node is no change of the flow (`Flow.hash` ignores layout and sticky notes).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from nbflow.core.errors import DocumentError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

VERSION = 1
SUFFIX = ".flow.json"
_STRICT: Mapping[str, Any] = {"extra": "forbid"}  # pydantic's ConfigDict, without importing pydantic here


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry:
    """How often and when a failed node is tried again. Only errors that are `retryable` or not nbflow's own are retried.

    A number given for a time is seconds: `Retry(wait=0.5)`.
    """

    __pydantic_config__: ClassVar = _STRICT
    max_tries: int = 3
    wait: timedelta = timedelta(seconds=1)  # before the second try
    backoff: float = 2.0  # each later wait is this many times the one before
    max_wait: timedelta = timedelta(minutes=1)
    jitter: float = 0.1  # each wait is stretched or shortened by up to this share of itself

    def __post_init__(self) -> None:
        for name in ("wait", "max_wait"):
            seconds: Any = getattr(self, name)
            if isinstance(seconds, int | float):
                object.__setattr__(self, name, timedelta(seconds=seconds))


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeSettings:
    """What every node type understands, whatever it does."""

    __pydantic_config__: ClassVar = _STRICT
    retry: Retry | None = None
    timeout: timedelta | None = None  # of one try
    on_error: Literal["stop", "continue", "output"] = "stop"
    each: bool = False  # run once per item of the (list) input
    concurrency: int | None = None  # at most so many calls of this node at a time, in one process
    disabled: bool = False  # passes its first input through
    notes: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """One step. `parent` is the id of the loop that contains it, None at the top."""

    __pydantic_config__: ClassVar = _STRICT
    id: str
    type: str
    config: Mapping[str, Any] = field(default_factory=dict)
    parent: str | None = None
    settings: NodeSettings = NodeSettings()


@dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    """A value's way from a port to a port. `path` picks a part of the value: `("rows", 0)` is `value["rows"][0]`.

    A loop has inner ports: an edge from the loop to a node inside it starts at `item` or `index`; an edge from a
    node inside to its loop ends at `result`.
    """

    __pydantic_config__: ClassVar = _STRICT
    source: str
    source_port: str = "output"
    target: str
    target_port: str = "input"
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """A sticky note on the canvas: drawing, like the layout. `box` is x, y, width, height; `parent` the loop that it lies in."""

    __pydantic_config__: ClassVar = _STRICT
    text: str
    box: tuple[float, float, float, float]
    colour: str = ""
    parent: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """Where one named output of the flow comes from."""

    __pydantic_config__: ClassVar = _STRICT
    node: str
    port: str = "output"
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowSettings:
    """What holds for a whole execution."""

    __pydantic_config__: ClassVar = _STRICT
    concurrency: int = 16  # nodes of one execution that run at the same time
    timeout: timedelta | None = None
    timezone: str = "UTC"
    keep_outputs: bool = True  # False: each value is released after its last consumer
    max_running: int | None = None  # on a server: executions of this workflow at the same time; the others wait their turn
    on_interrupt: Literal["fail", "run_again"] = "fail"  # on a server: what becomes of an execution that was running when the server died
    vars: Mapping[str, Any] = field(default_factory=dict)  # constants that expressions see as `vars`


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """A flow document. `parameters` is a JSON Schema (type object) of the inputs.

    Without `outputs`, an execution's outputs are those of all nodes that nothing follows, by node id.
    """

    __pydantic_config__: ClassVar = _STRICT
    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    outputs: Mapping[str, Output] = field(default_factory=dict)
    settings: FlowSettings = FlowSettings()
    layout: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    notes: Mapping[str, Note] = field(default_factory=dict)

    def node(self, id_: str) -> Node:
        """The node with this id. Raises KeyError."""
        for node in self.nodes:
            if node.id == id_:
                return node
        raise KeyError(id_)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, defaults left out, keys in canonical order."""
        return {"nbflow": VERSION, **_plain(self)}

    def to_json(self) -> str:
        """Canonical text, two-space indent, newline at the end."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    @property
    def hash(self) -> str:
        """SHA-256 (hex, 64 characters) of the canonical document without what is only drawing."""
        document = self.to_dict()
        for name in ("layout", "notes"):
            document.pop(name, None)
        text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def from_dict(cls, document: object, *, source: str = "flow document") -> Flow:
        """Raises DocumentError naming every wrong field. `source` is what the message calls the document."""
        from pydantic import ValidationError

        if not isinstance(document, dict):
            msg = f"{source}: a flow document is a JSON object, this is {type(document).__name__}"
            raise DocumentError(msg)
        body = dict(document)
        version = body.pop("nbflow", None)
        if version != VERSION:
            msg = f'{source}: "nbflow": {version!r} is no known document version; this nbflow reads "nbflow": {VERSION}'
            raise DocumentError(msg)
        try:
            return _adapter().validate_python(body)
        except ValidationError as error:
            problems = "\n".join(f"  {_place(item['loc'], body)}: {item['msg']}" for item in error.errors())
            msg = f"{source} is not a valid flow document:\n{problems}"
            raise DocumentError(msg) from None

    @classmethod
    def from_json(cls, text: str | bytes, *, source: str = "flow document") -> Flow:
        """Raises DocumentError; for broken JSON it names line and column."""
        try:
            document = json.loads(text)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            msg = f"{source} is not JSON: {error}. Restore it from version control or export the flow again"
            raise DocumentError(msg) from None
        return cls.from_dict(document, source=source)

    @classmethod
    def load(cls, path: str | Path) -> Flow:
        """Raises DocumentError when the file is missing or not a flow document."""
        try:
            text = Path(path).read_bytes()
        except OSError as error:
            msg = f"cannot read {path}: {error.strerror}"
            raise DocumentError(msg) from error
        return cls.from_json(text, source=str(path))

    def save(self, path: str | Path) -> Path:
        """Writes the canonical text whole or not at all (temporary file, then rename)."""
        target = Path(path)
        temporary = target.with_name(f".{target.name}.tmp")
        temporary.write_text(self.to_json(), encoding="utf-8")
        return temporary.replace(target)

    @staticmethod
    def json_schema() -> dict[str, Any]:
        """JSON Schema (2020-12) of the document, for editors and other tools."""
        schema = _adapter().json_schema()
        schema["properties"] = {"nbflow": {"const": VERSION}, **schema["properties"]}
        schema["required"] = ["nbflow", *schema["required"]]
        return schema


@cache
def _adapter() -> TypeAdapter[Flow]:
    from pydantic import TypeAdapter

    return TypeAdapter(Flow)


def _place(location: tuple[int | str, ...], body: Mapping[str, Any]) -> str:
    """`('nodes', 3, 'type')` as "node 'clean', field 'type'" where the document tells so much."""
    if len(location) > 1 and location[0] == "nodes" and isinstance(location[1], int):
        node = body["nodes"][location[1]]
        name = node.get("id", location[1]) if isinstance(node, dict) else location[1]
        rest = ".".join(map(str, location[2:]))
        return f"node '{name}'" + (f", field '{rest}'" if rest else "")
    return "field '" + ".".join(map(str, location)) + "'" if location else "document"


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {
            item.name: _plain(content)
            for item in fields(value)
            if (content := getattr(value, item.name)) != _default(item) or item.name in {"id", "type", "name"}
        }
    if isinstance(value, timedelta):
        return _iso_duration(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _default(item: Any) -> Any:
    from dataclasses import MISSING

    if item.default is not MISSING:
        return item.default
    return item.default_factory() if item.default_factory is not MISSING else MISSING


def _iso_duration(value: timedelta) -> str:
    """ISO 8601, seconds only: 90 s is `PT90S`, which pydantic reads back exactly."""
    seconds = value.days * 86_400 + value.seconds
    if value.microseconds:
        return f"PT{seconds}.{value.microseconds:06d}".rstrip("0") + "S"
    return f"PT{seconds}S"
