"""The `nbflow` command: its sub-commands, and how errors leave it."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Annotated, NoReturn

import typer

from nbflow.cli import check, code, credentials, demo, executions, logs, nodes, prune, publish, run, serve, show, sql, workflows
from nbflow.cli.failure import INTERRUPTED, report

app = typer.Typer(
    name="nbflow",
    help="Run flows from notebooks, Python and flow documents; look at what ran.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (
    run.run,
    check.check,
    code.code,
    publish.publish,
    executions.executions,
    show.show,
    logs.logs,
    sql.sql,
    nodes.nodes,
    prune.prune,
    demo.demo,
):
    app.command()(command)
app.command(cls=serve.ServeCommand)(serve.serve)
app.add_typer(credentials.credentials, name="credentials")
app.add_typer(workflows.workflows, name="workflows")


def _version(wanted: bool) -> None:  # noqa: FBT001 -- typer's form of a callback
    if wanted:
        from importlib.metadata import version

        typer.echo(f"nbflow {version('nbflow')}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show Python tracebacks of errors; may stand anywhere.")] = False,
) -> None:
    """Run flows from notebooks, Python and flow documents; look at what ran.

    Exit codes: 0 ok, 1 the flow failed, 2 wrong usage, flow or parameter, 3 the store failed, 130 cancelled.
    """


def main() -> NoReturn:
    """The console script. Every error that nbflow raises on purpose is one message; `--debug` adds its traceback."""
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    code: int | str | None = 0
    try:
        app(arguments, prog_name="nbflow")
    except SystemExit as ended:
        code = ended.code
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:  # noqa: BLE001 -- the last line of defence: users see messages, not tracebacks
        code = report(error, debug=debug, as_json="--json" in arguments)
    _close()
    sys.exit(code)


def _close() -> None:
    """A database that is still open when Python ends prints what it leaks, or aborts."""
    runtime = sys.modules.get("nbflow.runtime.runtime")
    if runtime is not None:
        with suppress(Exception):
            runtime.reset_runtime()
