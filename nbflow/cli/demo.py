"""`nbflow demo`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nbflow.cli.failure import FLOW_FAILED, OK
from nbflow.cli.output import console, plain, styled

if TYPE_CHECKING:
    from rich.console import Console

    from nbflow.demo import Demo


def demo(
    *,
    out: Annotated[Path, typer.Option(help="Folder for the executed notebook and what it makes.")] = Path("out"),
    timeout: Annotated[int, typer.Option(min=1, help="Seconds that one cell may take.")] = 600,
) -> None:
    """Run the first guide, a real job on real data.

    It runs without a browser; at the end you read what was made and where to look.
    """
    from nbflow.demo import run_demo

    screen = console()

    def tell(number: int, count: int, title: str, seconds: float | None) -> None:
        if seconds is None:
            screen.print(f"[dim]cell {number:2} of {count}[/] {plain(title)}", soft_wrap=True)
        elif seconds >= 1:
            screen.print(f"[dim]           took {seconds:.1f} s[/]")

    done = run_demo(out, timeout_s=timeout, tell=tell)
    if done.error:
        screen.print(f"[bold red]the notebook failed[/]\n{plain(done.error)}\nSo far: {plain(done.notebook)}", soft_wrap=True)
        raise typer.Exit(FLOW_FAILED)
    _print(screen, done)
    raise typer.Exit(OK)


def _print(screen: Console, done: Demo) -> None:
    from nbflow.runtime.runtime import runtime
    from nbflow.store.history import History

    rows = History(runtime().store).executions(since=done.started, limit=10)
    screen.print("\n[bold]Executions[/]" + ("" if rows else ": none"))
    for row in reversed(rows):
        screen.print(
            f"  {styled(row.status)} {plain(row.flow)}, {row.nodes_total} nodes: {_command('nbflow')} show {row.execution_id}", soft_wrap=True
        )
    screen.print("[bold]Made[/]")
    for path in done.made:
        screen.print(f"  {plain(path)}", soft_wrap=True)
    screen.print("[bold]Look again[/]")
    screen.print(f"  {_command('jupyter')} lab {plain(done.notebook)}   the notebook with the graph and the plots")
    screen.print(f"  {_command('nbflow')} executions   everything that ran here")


def _command(name: str) -> str:
    """As it can be typed here: the bare name where the shell finds this installation's, else the path to it."""
    own = Path(sys.argv[0]).with_name(name)
    found = shutil.which(name)
    return name if found and Path(found).parent.resolve() == own.parent.resolve() else str(own)
