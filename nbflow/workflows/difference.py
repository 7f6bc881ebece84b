"""What changed between two flows: node by node, field by field, and in the code. Layout does not count."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from nbflow.core.flow import Flow
    from nbflow.workflows.library import Workflows
    from nbflow.workflows.module import Module
    from nbflow.workflows.workflow import Workflow

_SHOWN = 160  # characters of a value in a text; the rest is in `to_dict`
_MARKS = {"added": "+", "removed": "-", "changed": "~"}
_COLOURS = {"+": "#2da44e", "-": "#e5484d", "~": "#d9822b", "@": "#8b93a1"}
_MISSING = object()

Kind = Literal["flow", "node", "edge", "output", "parameter", "setting"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One thing that differs. `before` is None for what was added, `after` for what was removed."""

    kind: Kind
    how: Literal["added", "removed", "changed"]
    name: str  # the node's id, the parameter's name; of an edge `fetch.output -> clean.input`
    field: str = ""  # of a node or parameter, dotted: `config.url`; empty for the whole
    before: Any = None
    after: Any = None

    def __str__(self) -> str:
        where = f"{self.kind} {self.name}" + (f", {self.field}" if self.field else "")
        if self.kind == "edge":
            return f"{_MARKS[self.how]} {where}"
        if self.how == "changed":
            return f"{_MARKS[self.how]} {where}: {_shown(self.before)} -> {_shown(self.after)}"
        value = self.after if self.how == "added" else self.before
        return f"{_MARKS[self.how]} {where}: {_shown(value)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """All changes, in the order of the document, then the code as a unified diff. False when there are none."""

    names: tuple[str, str]
    changes: tuple[Change, ...]
    code: str  # unified diff; empty when the code is the same

    def __bool__(self) -> bool:
        return bool(self.changes or self.code)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"names": list(self.names), "changes": [asdict(change) for change in self.changes], "code": self.code}

    def text(self) -> str:
        """For terminals and logs."""
        head = f"{self.names[0]} -> {self.names[1]}"
        if not self:
            return f"{head}: no difference (layout does not count)"
        return "\n".join([head, *(f"  {change}" for change in self.changes), *([self.code] if self.code else [])])

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        head = f"<div style='font-weight:600'>{escape(self.names[0])} → {escape(self.names[1])}</div>"
        if not self:
            return f"<div>{head}<div>no difference (layout does not count)</div></div>"
        lines = [*map(str, self.changes), *([""] if self.code else []), *self.code.splitlines()]
        body = "\n".join(_line(line) for line in lines)
        border = "1px solid rgba(128,128,128,0.25)"  # on light and dark pages
        style = f"margin:6px 0 0 0;padding:8px 12px;border:{border};border-radius:6px;overflow:auto;font-size:12px;line-height:1.5"
        return f"<div>{head}<pre style='{style}'>{body}</pre></div>"


def diff(
    a: Flow, b: Flow, names: tuple[str, str] = ("before", "after"), *, modules: tuple[Module | None, Module | None] = (None, None)
) -> Difference:
    """What it takes to get from `a` to `b`."""
    before, after = a.to_dict(), b.to_dict()
    changes = (
        *_fields("flow", a.name, {"name": a.name, "description": a.description}, {"name": b.name, "description": b.description}),
        *_named("parameter", _parameters(before), _parameters(after)),
        *_named("node", {node["id"]: node for node in before.get("nodes", ())}, {node["id"]: node for node in after.get("nodes", ())}),
        *_named("edge", _edges(before), _edges(after)),
        *_named("output", before.get("outputs", {}), after.get("outputs", {})),
        *_named("setting", before.get("settings", {}), after.get("settings", {})),
    )
    if not changes and a.hash != b.hash:  # edges into one port deliver in the order of the document
        changes = (Change(kind="flow", how="changed", name=a.name, field="order", before=_order(before), after=_order(after)),)
    return Difference(names=names, changes=changes, code=_code(*modules, names))


def between(library: Workflows, workflow: Workflow, before: int | None = None, after: int | None = None) -> Difference:
    """Two versions of a workflow: `after` is the newest unless given, `before` the one before it. Raises UnknownVersionError."""
    new = library.version(workflow.id, workflow.version if after is None else after)
    old = library.version(workflow.id, max(1, new.version - 1) if before is None else before)
    return diff(old.flow, new.flow, (f"version {old.version}", f"version {new.version}"), modules=(old.module, new.module))


def _named(kind: Kind, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Things by name: those of both in their order, then what was added."""
    for name, old in before.items():
        if name not in after:
            yield Change(kind=kind, how="removed", name=name, before=old)
        elif old != after[name]:
            yield from _fields(kind, name, old, after[name])
    for name, new in after.items():
        if name not in before:
            yield Change(kind=kind, how="added", name=name, after=new)


def _fields(kind: Kind, name: str, old: Any, new: Any, path: str = "") -> Iterator[Change]:
    """The smallest parts that differ."""
    if old == new:
        return
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        how: Literal["added", "removed", "changed"] = "added" if old is _MISSING else "removed" if new is _MISSING else "changed"
        values = {"before": None if old is _MISSING else old, "after": None if new is _MISSING else new}
        yield Change(kind=kind, how=how, name=name, field=path, **values)
        return
    for key in dict.fromkeys([*old, *new]):
        yield from _fields(kind, name, old.get(key, _MISSING), new.get(key, _MISSING), f"{path}.{key}" if path else str(key))


def _parameters(document: Mapping[str, Any]) -> dict[str, Any]:
    schema = document.get("parameters", {})
    required = set(schema.get("required", ()))
    found = {name: {**facts, "required": name in required} for name, facts in schema.get("properties", {}).items()}
    rest = {key: value for key, value in schema.items() if key not in {"properties", "required", "type"}}
    return found | ({"(schema)": rest} if rest else {})


def _edges(document: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for edge in document.get("edges", ()):
        path = "".join(f"[{step!r}]" for step in edge.get("path", ()))
        name = f"{edge['source']}.{edge.get('source_port', 'output')}{path} -> {edge['target']}.{edge.get('target_port', 'input')}"
        found[name] = edge
    return found


def _order(document: Mapping[str, Any]) -> list[str]:
    return [*(node["id"] for node in document.get("nodes", ())), *_edges(document)]


def _code(before: Module | None, after: Module | None, names: tuple[str, str]) -> str:
    old, new = (dict(module.files) if module is not None else {} for module in (before, after))
    parts: list[str] = []
    for file in sorted(old.keys() | new.keys()):
        lines = (old.get(file, "").splitlines(), new.get(file, "").splitlines())
        parts += difflib.unified_diff(*lines, f"{names[0]}/{file}", f"{names[1]}/{file}", lineterm="")
    return "\n".join(parts)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _line(line: str) -> str:
    colour = _COLOURS.get(line[:1])
    return f"<span style='color:{colour}'>{escape(line)}</span>" if colour else escape(line)
