"""`nbflow run`."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nbflow.cli.complete import targets
from nbflow.cli.failure import FLOW_FAILED, INTERRUPTED, OK, STORE, UsageError
from nbflow.cli.output import console, duration, json_alone, plain, print_json, print_value, styled

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

    from nbflow.core.flow import Flow
    from nbflow.runtime.execution import Execution

PATIENCE_S = 3  # after the two seconds of `Execution.result`: a busy machine records the end late


def run(
    target: Annotated[str, typer.Argument(help="notebook.ipynb:flow, file.py:flow, module:flow or x.flow.json.", autocompletion=targets)],
    *,
    params: Annotated[list[str] | None, typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter of the flow; may be repeated.")] = None,
    input_: Annotated[str | None, typer.Option("--input", metavar="FILE", help="JSON that the flow's trigger gets; `-` reads stdin.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, everything else on stderr.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress; only the outputs.")] = False,
) -> None:
    """Run a flow and wait for it. Of a notebook only the statements that the flow needs are executed, not the notebook's own runs.

    Ctrl-C cancels the execution.
    """
    signal.signal(signal.SIGTERM, _terminate)
    os.environ.setdefault("MPLBACKEND", "agg")  # a figure must not wait for a window to be closed
    with json_alone(wanted=as_json):
        code = _run(target, params or [], input_, as_json=as_json, quiet=quiet)
    raise typer.Exit(code)


def _run(target: str, params: list[str], input_: str | None, *, as_json: bool, quiet: bool) -> int:
    from nbflow.cli.parameters import flow_parameters
    from nbflow.cli.target import guarded, load_one
    from nbflow.display.terminal import TerminalView
    from nbflow.runtime.runtime import reset_runtime, runtime

    data = None if input_ is None else _input(input_)
    flow = load_one(target)
    prepared = guarded(flow.prepare, f"flow '{flow.name}'")
    document = prepared.definition.flow
    values = flow_parameters(document, params)
    with nullcontext() if quiet else TerminalView(document) as view:
        execution = runtime().start(prepared, values, input=data, sinks=(view,) if view else (), source=target)
        stopped = _wait(execution)
    code = _code(execution, stopped=stopped)
    if as_json:
        print_json(_facts(execution, document))
    else:
        _print(execution, document)
        if quiet:
            _print_error(execution)
    if execution.record_error is not None:
        print(f"nbflow: the execution ended, but could not be recorded: {execution.record_error}", file=sys.stderr)  # noqa: T201
    if not execution.done:
        reset_runtime()
        _leave(code)
    return code


def _wait(execution: Execution) -> bool:
    """Waits for the end; True when a signal ended the wait: the execution was cancelled and had time to end. A second signal does not wait."""
    from nbflow.core.errors import ExecutionError

    try:
        execution.result()
    except KeyboardInterrupt:
        deadline = time.monotonic() + PATIENCE_S
        with suppress(KeyboardInterrupt):
            while not execution.done and time.monotonic() < deadline:
                time.sleep(0.02)
        return True
    except ExecutionError:
        pass
    return False


def _code(execution: Execution, *, stopped: bool) -> int:
    if stopped or execution.status == "cancelled":
        return INTERRUPTED
    if execution.status == "failed":
        return FLOW_FAILED
    return STORE if execution.record_error is not None else OK


def _leave(code: int) -> None:
    """A node that cannot be interrupted (deep in C code) must not keep the process."""
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM, as a supervisor sends it, cancels like Ctrl-C."""
    raise KeyboardInterrupt


def _input(source: str) -> Any:
    import json

    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text("utf-8")
        return json.loads(text)
    except OSError as error:
        message = f"--input {source}: {error.strerror}"
        raise UsageError(message) from error
    except ValueError as error:  # also bytes that are no UTF-8
        message = f"--input {source} is not JSON: {error}"
        raise UsageError(message) from error


# What is said of it -----------------------------------------------------------------------------


def _print(execution: Execution, flow: Flow) -> None:
    """Outputs on stdout; how it ended on stderr."""
    screen, notes = console(), console(stderr=True)
    outputs: Mapping[str, Any] = execution.outputs
    for name, value in outputs.items():
        print_value(screen, name, value)
    took = duration(execution.state.elapsed_ns / 1e6)
    notes.print(f"{styled(execution.status)} {plain(flow.name)} in {took}, execution {execution.id}", soft_wrap=True)
    if execution.status == "failed":
        notes.print(f"[dim]nbflow show {execution.id[:13]} and nbflow logs {execution.id[:13]} tell more[/]", soft_wrap=True)


def _print_error(execution: Execution) -> None:
    notes = console(stderr=True)
    state = execution.state
    if state.error is None:
        return
    where = f"node '{state.error_node}' failed: " if state.error_node else ""
    notes.print(f"[bold red]{plain(where)}[/]{plain(state.error.traceback or state.error.message)}", soft_wrap=True)


def _facts(execution: Execution, flow: Flow) -> dict[str, Any]:
    state = execution.state
    error = None
    if state.error is not None:
        error = {"type": state.error.type, "message": state.error.message, "node": state.error_node, "traceback": state.error.traceback}
    return {
        "execution_id": execution.id,
        "flow": flow.name,
        "status": execution.status,
        "duration_s": round(state.elapsed_ns / 1e9, 6),
        "outputs": dict(execution.outputs),
        "error": error,
        "nodes": [
            {
                "id": node.id,
                "type": node.type,
                "status": node.status,
                "duration_ms": node.duration_ns / 1e6,
                "error": node.error.message if node.error else None,
            }
            for node in state.nodes.values()
        ],
    }
