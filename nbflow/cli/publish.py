"""`nbflow publish`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nbflow.cli.complete import targets
from nbflow.cli.output import console, json_alone, plain, print_json

if TYPE_CHECKING:
    from nbflow.workflows.collect import Source


def publish(
    target: Annotated[str, typer.Argument(help="notebook.ipynb:flow, file.py:flow, module:flow or x.flow.json.", autocompletion=targets)],
    *,
    webhook: Annotated[str | None, typer.Option(metavar="PATH", help="Start it by requests to /webhooks/PATH, such as /orders/:id.")] = None,
    schedule: Annotated[str | None, typer.Option(metavar="CRON", help='Start it by the clock, such as "0 7 * * *".')] = None,
    name: Annotated[str | None, typer.Option(help="Name of the workflow; the flow's own unless given.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag of the workflow; may be repeated.")] = None,
    comment: Annotated[str, typer.Option(help="What this version is about.")] = "",
    inactive: Annotated[bool, typer.Option("--inactive", help="Its triggers do not start it yet.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Store a flow with the code of its functions as a version of a workflow, for `nbflow serve` to run. No server is needed now.

    Of a notebook only the statements that the flow needs are executed and kept; a fresh process proves that they stand alone.
    """
    from nbflow.cli.target import guarded, load_one
    from nbflow.cli.workflows import facts
    from nbflow.runtime.runtime import runtime
    from nbflow.store.project import read_server_card
    from nbflow.workflows import publish as publishing

    os.environ.setdefault("MPLBACKEND", "agg")
    with json_alone(wanted=as_json):
        flow = load_one(target)
        definition = guarded(flow.definition, f"flow '{flow.name}'")
        here = runtime()
        published = publishing.publish(
            definition,
            store=here.store,
            project=here.project,
            webhook=webhook,
            schedule=schedule,
            name=name,
            active=not inactive,
            tags=tag or (),
            comment=comment,
            source=_source(target),
            server=read_server_card(here.project).get("url"),
        )
        if as_json:
            print_json({**facts(published.workflow), "is_new": published.is_new, "dropped": published.dropped})
        else:
            console().print(plain(published), soft_wrap=True)


def _source(target: str) -> Source:
    """Where the target's functions were written. Those of modules are found in the modules' own files."""
    from nbflow.workflows.collect import Source, notebook_source

    path = Path(target if Path(target).exists() else target.rpartition(":")[0])
    if path.suffix == ".ipynb":
        return notebook_source(path)
    return Source(folder=Path.cwd())
