"""Code cells as Python, of a notebook's file or a kernel's history: magics translated or dropped, sources findable for tracebacks."""

from __future__ import annotations

import ast
import json
import linecache
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import DocumentError

if TYPE_CHECKING:
    from pathlib import Path

SKIP_TAGS = frozenset({"nbflow-skip", "skip-run"})
_PYTHON_MAGICS = frozenset({"time", "timeit", "capture", "prun"})  # cell magics whose body is Python all the same
_CELL_MAGIC = re.compile(r"\s*%%(\w+)[^\n]*\n?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One code cell. `error` says why it cannot be read; `body` is empty then."""

    name: str  # for messages and tracebacks: `orders.ipynb, cell 3`, counting code cells; `Cell In[3]` of a kernel
    source: str = ""  # magics translated
    body: tuple[ast.stmt, ...] = ()
    error: str | None = None


def read_cells(path: Path) -> list[Cell]:
    """The code cells in order, but those tagged `nbflow-skip`. Raises DocumentError for a file that is no notebook."""
    try:
        document = json.loads(path.read_bytes())
        cells: list[dict[str, Any]] = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
        sources = [(_text(cell["source"]), set(cell.get("metadata", {}).get("tags", ()))) for cell in cells]
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        raise DocumentError(message) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = error if isinstance(error, ValueError) else "it has no list of cells"
        message = f"{path} is no notebook (format 4) that can be read: {reason}; open it in Jupyter and save it again"
        raise DocumentError(message) from None
    return [read_cell(f"{path.name}, cell {number}", source) for number, (source, tags) in enumerate(sources, 1) if not tags & SKIP_TAGS]


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def read_cell(name: str, source: str) -> Cell:
    """Sources go to linecache: tracebacks, `inspect.getsource` and the drawing of flows look there."""
    source = _translated(source)
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    try:
        return Cell(name=name, source=source, body=tuple(_parse(source, name).body))
    except SyntaxError as error:
        return Cell(name=name, source=source, error=f"line {error.lineno}: {error.msg}")


def _parse(source: str, name: str) -> ast.Module:
    tree = compile(source, name, "exec", flags=ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    assert isinstance(tree, ast.Module)  # noqa: S101 -- what "exec" gives
    return tree


def _translated(source: str) -> str:
    """Plain Python stays as it is, and IPython is imported only for what is not."""
    magic = _CELL_MAGIC.match(source)
    if magic and magic[1] not in _PYTHON_MAGICS:
        return ""  # another language
    if magic:
        source = "\n" * magic[0].count("\n") + source[magic.end() :]
    try:
        _parse(source, "")
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager

        try:
            return str(TransformerManager().transform_cell(source))
        except SyntaxError:
            return source
    return source
