"""`action.code.python`."""

import ast
import linecache
import re
from collections.abc import Mapping
from datetime import timedelta
from types import CodeType
from typing import Annotated, Any, Literal, Self, cast

from pydantic import AfterValidator, Field, model_validator

from nbflow.catalogue.rows import frame, is_frame, is_record, items
from nbflow.catalogue.subprocess_code import Limits, run_in_subprocess
from nbflow.core.config import NodeConfig
from nbflow.core.node import Context, Verbatim, node_type

NAMES = ("items", "item", "df", "ctx")
_FILE = "<action.code.python>"


def _compiles(code: str) -> str:
    try:
        compile_body(code, _FILE)
    except SyntaxError as error:
        hint = "; for `await`, write a decorated async function instead" if "await" in (error.msg or "") else ""
        msg = f"line {error.lineno}: {error.msg}{hint}"
        raise ValueError(msg) from None
    return code


def compile_body(code: str, file: str) -> CodeType:
    """Code that defines the function `user`, whose body is the user's code, with the user's own line numbers. Raises SyntaxError."""
    body = ast.parse(code, filename=file).body or [ast.Pass(lineno=1, col_offset=0)]
    module = ast.parse(f"def user({', '.join(NAMES)}): pass", filename=file)
    cast("ast.FunctionDef", module.body[0]).body = body
    return compile(ast.fix_missing_locations(module), file, "exec")


class PythonConfig(NodeConfig):
    """The code and where it runs."""

    code: Annotated[str, AfterValidator(_compiles), Verbatim()] = Field(
        min_length=1,
        description="Body of a function: its `return` is the result. Names: `item` (the input), `items` (as a list), `df` (as a DataFrame), `ctx`.",
    )
    where: Literal["in_kernel", "subprocess"] = Field(
        default="in_kernel", description="In this process with all its rights, or in an interpreter of its own with limits and without `ctx`."
    )
    time_limit: timedelta = Field(default=timedelta(seconds=60), gt=timedelta(0), description="Subprocess: ended when it runs longer.")
    cpu_limit: timedelta = Field(default=timedelta(seconds=60), ge=timedelta(seconds=1), description="Subprocess: ended after so much CPU time.")
    memory_limit_bytes: int = Field(default=1 << 30, ge=1 << 26, description="Subprocess: memory it may take; MemoryError beyond.")
    output_limit_bytes: int = Field(default=64 << 20, ge=1 << 10, description="Subprocess: size of its printed output, and of its result.")
    environment: dict[str, str] = Field(
        default_factory=dict, description="Subprocess: environment variables; it gets no others of this process. Not for secrets."
    )

    @model_validator(mode="after")
    def _only_in_subprocess(self) -> Self:
        limits = {"time_limit", "cpu_limit", "memory_limit_bytes", "output_limit_bytes", "environment"}
        if self.where == "in_kernel" and (stray := sorted(limits & self.model_fields_set)):
            msg = f"'{stray[0]}' works with where='subprocess' only; in the kernel, the node's timeout setting ends the code"
            raise ValueError(msg)
        return self


@node_type("action.code.python", where="thread")
def code_python(config: PythonConfig, input: Any = None, *, ctx: Context) -> Any:  # noqa: A002 - the port's name
    """Run Python code.

    What the code prints goes to the node's log. An exception keeps its type in the kernel and tells the user's line; from a subprocess it
    is a NodeError. A subprocess gives back JSON values, dates, bytes and DataFrames. It is a guard against mistakes and runaway code, not
    against an attacker: files and network stay reachable. Raises LimitError, NodeTimeoutError, InputError (the result cannot be sent).
    """
    wanted = _names_used(config.code)
    given = {name: value for name, value in _values(input, wanted).items() if name in wanted}
    if config.where == "in_kernel":
        return _in_kernel(config.code, {**dict.fromkeys(NAMES), **given, "ctx": ctx})
    limits = Limits(
        seconds=config.time_limit.total_seconds(),
        cpu_seconds=int(config.cpu_limit.total_seconds()),
        memory_bytes=config.memory_limit_bytes,
        output_bytes=config.output_limit_bytes,
    )
    return run_in_subprocess(config.code, NAMES, given, limits=limits, environment=config.environment, log=ctx.log)


def _names_used(code: str) -> frozenset[str]:
    """Which of our names the code speaks of: a DataFrame is made only for code that wants one."""
    return frozenset(re.findall(r"\b(?:items|item|df)\b", code))


def _values(value: Any, wanted: frozenset[str]) -> Mapping[str, Any]:
    made: dict[str, Any] = {"item": value}
    if "items" in wanted:
        made["items"] = [] if value is None else [value] if is_record(value) else items(value) if _many(value) else [value]
    if "df" in wanted and value is not None and (is_frame(value) or is_record(value) or _many(value)):
        made["df"] = frame(value)
    return made


def _many(value: Any) -> bool:
    return is_frame(value) or isinstance(value, list | tuple)


def _in_kernel(code: str, values: Mapping[str, Any]) -> Any:
    file = f"<action.code.python {values['ctx'].node}>"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)  # so that tracebacks show the user's lines
    scope: dict[str, Any] = {"__name__": "__nbflow__"}
    exec(compile_body(code, file), scope)  # noqa: S102 - running the user's code is what the node is for
    try:
        return scope["user"](**values)
    except Exception as error:
        place = error.__traceback__
        while place is not None:
            if place.tb_frame.f_code.co_filename == file:
                number = place.tb_lineno
                error.add_note(f"line {number}: {linecache.getline(file, number).strip()}")
                break
            place = place.tb_next
        raise
