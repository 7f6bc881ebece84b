"""`nbflow check`."""

from __future__ import annotations

from typing import Annotated

import typer

from nbflow.cli.complete import targets
from nbflow.cli.failure import OK, WRONG
from nbflow.cli.output import console, json_alone, plain, print_json


def check(
    target: Annotated[str, typer.Argument(help="notebook.ipynb[:flow], file.py[:flow], module[:flow] or x.flow.json.", autocompletion=targets)],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Find everything that is wrong with a flow, without running it. Without a name, every flow of the file is checked."""
    from nbflow.cli.target import guarded, load_all

    with json_alone(wanted=as_json):
        found = [(flow.name, guarded(flow.check, f"flow '{flow.name}'")) for flow in load_all(target)]
        wrong = any(problems for _, problems in found)
        if as_json:
            flows = [{"flow": name, "problems": problems} for name, problems in found]
            print_json({"ok": not wrong, "flows": flows})
        else:
            screen = console()
            for name, problems in found:
                screen.print(
                    f"[bold]{plain(name)}[/]: " + (f"[red]{len(problems)} problem{'s' * (len(problems) > 1)}[/]" if problems else "[green]ok[/]")
                )
                for problem in problems:
                    screen.print(f"  {plain(problem)}", soft_wrap=True)
    raise typer.Exit(WRONG if wrong else OK)
