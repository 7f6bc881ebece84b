"""Names of written code: safe variables, and the imports that bring names from elsewhere."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
import sys
from collections import defaultdict
from typing import TYPE_CHECKING
from unicodedata import normalize

from nbflow.authoring.formatting import Item, call, render

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_BUILTINS = frozenset(dir(builtins))


def is_name(text: str) -> bool:
    """Whether Python reads it as the identifier that it is; it takes `ﬁ` for `fi`."""
    return text.isidentifier() and not keyword.iskeyword(text) and normalize("NFKC", text) == text


class Names:
    """Which names are taken."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def take(self, names: Iterable[str]) -> None:
        """These are somebody's."""
        self._taken.update(names)

    def release(self, names: Iterable[str]) -> None:
        """These go with the function whose arguments they were."""
        self._taken.difference_update(names)

    def free(self, wanted: str) -> str:
        """A name as close as possible to this text: no keyword, no builtin, nobody's. It is taken now."""
        base = normalize("NFKC", re.sub(r"\W", "_", wanted, flags=re.ASCII if not wanted.isidentifier() else 0)) or "node"
        if not base.isidentifier():
            base = f"node_{base}"
        if base in _BUILTINS or keyword.iskeyword(base):
            base += "_"
        name, number = base, 1
        while name in self._taken:
            name = f"{base}_" if number == 1 and not base.endswith("_") else f"{base.rstrip('_')}_{number}"
            number += 1
        self._taken.add(name)
        return name


class Imports:
    """The import statements at the top, sorted as usual, each thing once."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._modules: dict[tuple[str, str], None] = {}  # module, as name
        self._parts: defaultdict[str, dict[str, str]] = defaultdict(dict)  # module (dots before it for relative ones) -> name here -> name there

    def read(self, statement: ast.Import | ast.ImportFrom) -> None:
        """Takes over an import of the user's."""
        for alias in statement.names:
            here = alias.asname or alias.name
            if isinstance(statement, ast.Import):
                self._modules[alias.name, here] = None
                here = here.partition(".")[0]
            else:
                self._parts["." * statement.level + (statement.module or "")][here] = alias.name
            self._names.take([here])

    def module(self, name: str, wanted: str, *, beside: Collection[str] = ()) -> str:
        """What a module is called here; something else than the names in `beside`, which hide it."""
        for known, here in self._modules:
            if known == name and "." not in here and here not in beside:
                return here
        here = self._names.free(wanted)
        self._modules[name, here] = None
        return here

    def part(self, module: str, name: str, *, beside: Collection[str] = ()) -> str:
        """What something of a module is called here; something else than the names in `beside`, which hide it."""
        for here, there in self._parts[module].items():
            if there == name and here not in beside:
                return here
        here = self._names.free(name)
        self._parts[module][here] = name
        return here

    def drop(self, name: str, here: str) -> None:
        """What turned out not to be used."""
        self._modules.pop((name, here), None)

    def lines(self) -> list[str]:
        """The statements, a blank line between those of Python, of others, and of nbflow."""
        groups: dict[int, list[tuple[int, str, str]]] = defaultdict(list)
        for module, here in self._modules:
            groups[_group(module)].append((0, module, f"import {module}" + (f" as {here}" if here != module else "")))
        for module, parts in self._parts.items():
            names = sorted((there if here == there else f"{there} as {here}" for here, there in parts.items()), key=_order)
            code = call("", *(Item("", name) for name in names))
            text = f"from {module} import "
            line = text + ", ".join(names)
            if names:
                whole = line if len(line) <= _LINE else text + _one_a_line(render(code, 0, _LINE))
                groups[_group(module)].append((1, module, whole))
        lines: list[str] = []
        for _, statements in sorted(groups.items()):
            lines += ["", *(text for _, _, text in sorted(statements))]
        return lines[1:]


_LINE = 100


def _one_a_line(text: str) -> str:
    """Imports in parentheses stand one a line."""
    names = text.strip("()\n ").rstrip(",").replace("\n", " ").split(", ")
    return "(\n" + "".join(f"    {name.strip()},\n" for name in names) + ")"


def _order(name: str) -> tuple[int, str]:
    """Constants, classes, the rest."""
    kind = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    return kind, name


def _group(module: str) -> int:
    root = module.partition(".")[0]
    if root == "__future__":
        return 0
    if root == "nbflow":
        return 3
    return 4 if not root else 1 if root in sys.stdlib_module_names else 2
