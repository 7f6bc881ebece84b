"""`nbflow code`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nbflow.cli.complete import targets
from nbflow.cli.output import json_alone, print_json

if TYPE_CHECKING:
    from nbflow.workflows.collect import Source


def code(
    target: Annotated[str, typer.Argument(help="notebook.ipynb[:flow], file.py[:flow], module[:flow] or x.flow.json.", autocompletion=targets)],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Print a flow as Python that draws it, with the sources of its functions. Code in an exported workflow is not executed."""
    with json_alone(wanted=as_json):
        name, text = _written(target)
        if as_json:
            print_json({"flow": name, "code": text})
    if not as_json:
        typer.echo(text, nl=False)


def _written(target: str) -> tuple[str, str]:
    """The flow's name, and the code."""
    from nbflow.workflows.code import code_of, code_of_module

    if target.endswith(".json"):
        from nbflow.workflows.file import read_file

        file = read_file(target)
        return file.flow.name, code_of_module(file.flow, file.module)
    from nbflow.cli.target import guarded, load_one

    os.environ.setdefault("MPLBACKEND", "agg")
    flow = load_one(target)
    return flow.name, code_of(guarded(flow.definition, f"flow '{flow.name}'"), _source(target))


def _source(target: str) -> Source | None:
    """Where a notebook's functions were written; those of modules are imported."""
    from nbflow.workflows.collect import Source, notebook_source

    path = Path(target if Path(target).exists() else target.rpartition(":")[0])
    return notebook_source(path) if path.suffix == ".ipynb" else Source(folder=Path.cwd())
