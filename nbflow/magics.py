"""`%load_ext nbflow`: a cell that is a node, and flows at the prompt.

`%%node clean(orders, least=5.0)` makes the cell the body of a node's function; without a `return`, the cell's last expression is what it gives.
Options follow the parentheses as in `@node`: `%%node heavy(rows) where="process", retry=3`. `%flow NAME` shows the flow on the canvas,
`%flow NAME run path="x.csv"` runs it, `%flow NAME check`, `%flow NAME code`; `%flow` alone lists the flows of the session.
"""

from __future__ import annotations

import ast
import textwrap
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from nbflow.define import DefinedFlow

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


@magics_class
class FlowMagics(Magics):  # type: ignore[misc]  # untyped base
    """What `%load_ext nbflow` brings."""

    @cell_magic  # type: ignore[untyped-decorator]
    def node(self, line: str, cell: str) -> None:
        """%%node name(parameters) [options of @node]: the cell is the node's function."""
        from inspect import cleandoc

        source = source_of_node(line, cell)
        if (failed := self.shell.run_cell(source, store_history=False).error_in_exec) is None:
            return
        raise UsageError(cleandoc(str(failed)))

    @line_magic  # type: ignore[untyped-decorator]
    def flow(self, line: str) -> Any:
        """%flow [name [edit | run name=value ... | check | code]]."""
        known = {name: value for name, value in self.shell.user_ns.items() if isinstance(value, DefinedFlow) and not name.startswith("_")}
        name, _, rest = line.strip().partition(" ")
        if not name:
            print("\n".join(f"{one}: {len(flow.document.nodes)} nodes" for one, flow in known.items()) or "no flows yet: mark a function with @flow")  # noqa: T201 -- what a magic answers
            return None
        if name not in known:
            from nbflow.core.suggest import advice

            message = f"%flow: there is no flow '{name}' in this session{advice(name, known)}"
            raise UsageError(message)
        verb, _, words = rest.strip().partition(" ")
        return self._done(known[name], name, verb or "edit", words)

    def _done(self, flow: DefinedFlow, name: str, verb: str, words: str) -> Any:
        if verb == "edit":
            return flow.edit()
        if verb == "run":
            return flow(**self._values(words))
        if verb == "check":
            problems = flow.check()
            print("\n".join(map(str, problems)) or f"flow '{name}' can run")  # noqa: T201 -- what a magic answers
            return None
        if verb == "code":
            self.shell.set_next_input(flow.to_python())
            return None
        message = f"%flow {name} {verb}: say edit, run, check or code"
        raise UsageError(message)

    def _values(self, words: str) -> dict[str, Any]:
        """`path="x.csv", count=3`, in the user's own names."""
        try:
            call = ast.parse(f"_({words})", mode="eval").body
        except SyntaxError:
            call = None
        if not isinstance(call, ast.Call) or call.args or any(word.arg is None for word in call.keywords):
            message = f"%flow: write parameters as in a call, path='x.csv', count=3; this is not one: {words}"
            raise UsageError(message)
        return {str(word.arg): self.shell.ev(ast.unparse(word.value)) for word in call.keywords}


def source_of_node(line: str, cell: str) -> str:
    """The cell as a decorated function. Raises UsageError for a head that is none."""
    try:
        end = _end_of_parentheses(line)
        head = ast.parse(f"def {line[:end]}: ...").body[0]
        options = line[end:].strip().lstrip(",")
        ast.parse(f"_({options})")
    except (SyntaxError, ValueError):
        head = None
    if not isinstance(head, ast.FunctionDef):
        message = f'%%node: write the function\'s head, as in %%node clean(orders, least=5.0) retry=2; this is none: "{line.strip()}"'
        raise UsageError(message)
    try:
        body = ast.parse(cell).body
    except SyntaxError as error:
        message = f"%%node {head.name}: line {error.lineno} of the cell is no Python: {error.msg}"
        raise UsageError(message) from None
    text = cell.rstrip()
    gives = any(isinstance(part, ast.Return) for statement in body for part in ast.walk(statement))
    if body and isinstance(body[-1], ast.Expr) and not gives:
        lines = text.splitlines()
        first = body[-1].lineno - 1
        lines[first] = f"return {lines[first]}"
        text = "\n".join(lines)
    return f"from nbflow import node\n\n\n@node({options})\ndef {line[:end]}:\n{textwrap.indent(text or 'pass', '    ')}\n"


def _end_of_parentheses(line: str) -> int:
    """After the `)` that closes the head, and its `-> type` if there is one. Raises ValueError."""
    depth = 0
    for position, character in enumerate(line):
        depth += (character == "(") - (character == ")")
        if character == ")" and depth == 0:
            rest = line[position + 1 :]
            if rest.lstrip().startswith("->"):
                words = rest.lstrip()[2:].strip().split(None, 1)
                returned = words[0] if words else ""
                return position + 1 + rest.index(returned, rest.index("->")) + len(returned)
            return position + 1
    message = "no parentheses"
    raise ValueError(message)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """What `%load_ext nbflow` calls."""
    shell.register_magics(FlowMagics)
