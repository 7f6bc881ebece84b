"""`nbflow workflows`: what was published, and everything one does with it but running it."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 -- typer reads annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nbflow.cli.complete import workflow_names
from nbflow.cli.failure import UsageError
from nbflow.cli.output import console, dumps, local, plain, print_json, table

if TYPE_CHECKING:
    from datetime import datetime

    from nbflow.workflows.library import Workflows
    from nbflow.workflows.workflow import Version, Workflow

workflows = typer.Typer(no_args_is_help=True, help="Published flows: list, compare, restore, activate, export and more.")

Wanted = Annotated[str, typer.Argument(metavar="WORKFLOW", help="Its name, its id, or the beginning of its id.", autocompletion=workflow_names)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@workflows.command("list")
def list_(
    *,
    search: Annotated[str | None, typer.Option(help="Only those with this in their name or description.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only those with this tag.")] = None,
    active: Annotated[bool | None, typer.Option("--active/--inactive", help="Only those that are active, or not.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List workflows, the newest first."""
    from nbflow.workflows.publish import triggers_of

    found = _library().list(search=search, tag=tag, active=active, limit=limit)
    if as_json:
        print_json([facts(workflow) for workflow in found])
        return
    if not found:
        chosen = search or tag or active is not None
        console().print("no workflows" + (" like that" if chosen else " yet: `nbflow publish notebook.ipynb:flow` makes one"))
        return
    grid = table("id", "name", "version", "active", "started by", "tags", "changed", right=("version",))
    for workflow in found:
        triggers = "\n".join(triggers_of(workflow))
        row = (workflow.id, workflow.name, workflow.version, _state(workflow), triggers, ", ".join(workflow.tags), _when(workflow.updated_at))
        grid.add_row(*map(plain, row))
    console().print(grid)


@workflows.command()
def show(wanted: Wanted, *, as_json: AsJson = False) -> None:
    """One workflow: what starts it, its nodes, its code."""
    from nbflow.cli.parameters import describe
    from nbflow.workflows.publish import triggers_of

    workflow = _find(wanted)
    if as_json:
        print_json(facts(workflow))
        return
    screen = console()
    screen.print(f"[bold]{plain(workflow.name)}[/] version {workflow.version}, {_state(workflow)}, changed {_when(workflow.updated_at)}")
    screen.print(f"[dim]{workflow.id}[/]")
    for line in (workflow.description, *(f"started by {trigger}" for trigger in triggers_of(workflow))):
        if line:
            screen.print(plain(line), soft_wrap=True)
    screen.print(plain(describe(workflow.flow.parameters)), soft_wrap=True)
    grid = table("node", "type")
    for node in workflow.flow.nodes:
        grid.add_row(plain(node.id), plain(node.type))
    screen.print(grid)
    for file, source in workflow.module.files.items() if workflow.module else ():
        screen.print(f"\n[bold]{plain(file)}[/]")
        screen.print(plain(source), soft_wrap=True)


@workflows.command()
def versions(wanted: Wanted, *, as_json: AsJson = False) -> None:
    """The versions of a workflow, the newest first."""
    workflow = _find(wanted)
    found = _library().versions(workflow.id)
    if as_json:
        print_json([_version_facts(version) for version in found])
        return
    grid = table("version", "made", "comment", "definition", right=("version",))
    for version in found:
        grid.add_row(str(version.version), _when(version.created_at), plain(version.comment), version.flow_hash[:12])
    console().print(grid)


@workflows.command()
def diff(
    wanted: Wanted,
    before: Annotated[int | None, typer.Argument(help="A version's number; the one before AFTER unless given.")] = None,
    after: Annotated[int | None, typer.Argument(help="A version's number; the newest unless given.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """What changed between two versions: nodes, edges, parameters, code. Layout does not count."""
    from nbflow.workflows.difference import between

    found = between(_library(), _find(wanted), before, after)
    if as_json:
        print_json(found.to_dict())
    else:
        console().print(plain(found.text()), soft_wrap=True)


@workflows.command()
def restore(wanted: Wanted, version: Annotated[int, typer.Argument(help="A version's number.")], *, as_json: AsJson = False) -> None:
    """Make a new version with an old one's content. No version is ever lost."""
    workflow = _find(wanted)
    changed = _library().restore(workflow.id, version)
    if changed.version == workflow.version:
        _tell(changed, f"is as in version {version} already", as_json=as_json)
    else:
        _tell(changed, f"is now version {changed.version}, with the content of version {version}", as_json=as_json)


@workflows.command()
def activate(wanted: Wanted, *, as_json: AsJson = False) -> None:
    """Let its triggers start it."""
    _tell(_library().activate(_find(wanted).id), "is active", as_json=as_json)


@workflows.command()
def deactivate(wanted: Wanted, *, as_json: AsJson = False) -> None:
    """Its triggers start it no more; it stays, and can be run by hand."""
    _tell(_library().deactivate(_find(wanted).id), "is not active", as_json=as_json)


@workflows.command()
def duplicate(wanted: Wanted, *, as_json: AsJson = False) -> None:
    """Make a copy, not active, named `NAME (Copy)`."""
    _tell(_library().duplicate(_find(wanted).id), "is a copy, not active", as_json=as_json)


@workflows.command()
def delete(wanted: Wanted, *, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Delete a workflow with its versions and the history of its executions."""
    workflow = _find(wanted)
    if not yes:
        typer.confirm(f"Delete the workflow '{workflow.name}' with {workflow.version} versions and all its executions?", abort=True, err=True)
    _library().delete(workflow.id)
    console(stderr=True).print(f"workflow [bold]{plain(workflow.name)}[/] is deleted")


@workflows.command()
def export(
    wanted: Wanted,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write to this file instead of the screen.")] = None,
    version: Annotated[int | None, typer.Option(help="A version's number; the newest unless given.")] = None,
) -> None:
    """The workflow as one `.flow.json`: document, code, name and tags. Credentials are in it by name only."""
    from nbflow.workflows.file import to_document

    workflow = _find(wanted)
    document = to_document(workflow, _library().version(workflow.id, version) if version is not None else None)
    if out is None:
        print_json(document)
        return
    try:
        out.write_text(dumps(document, pretty=True) + "\n", encoding="utf-8")
    except OSError as error:
        message = f"--out {out}: {error.strerror}"
        raise UsageError(message) from error
    console(stderr=True).print(f"workflow [bold]{plain(workflow.name)}[/] is written to {plain(out)}")


@workflows.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="What `export` wrote, or a plain flow document.")],
    *,
    name: Annotated[str | None, typer.Option(help="Name of the workflow; the file's own unless given.")] = None,
    active: Annotated[bool, typer.Option("--active", help="Let its triggers start it at once.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a workflow from a file; not active, so that you can look at its code first."""
    from nbflow.workflows.file import read_file

    found = read_file(file)
    made = _library().create(
        found.flow, name=name or found.name, description=found.description, module=found.module, tags=found.tags, active=active, comment="imported"
    )
    _tell(made, "is imported" + ("" if active else ", not active"), as_json=as_json)


def facts(workflow: Workflow) -> dict[str, Any]:
    """What `--json` says of a workflow."""
    from nbflow.workflows.publish import triggers_of

    names = ("id", "name", "description", "version", "version_id", "flow_hash", "active", "tags", "organization_id", "workspace_id")
    times = {name: getattr(workflow, name).isoformat() for name in ("created_at", "updated_at")}
    definition = {"definition": workflow.flow.to_dict(), "module": workflow.module.to_dict() if workflow.module else None}
    return {**{name: getattr(workflow, name) for name in names}, **times, "triggers": triggers_of(workflow), **definition}


def _version_facts(version: Version) -> dict[str, Any]:
    names = ("id", "version", "name", "flow_hash", "comment")
    return {**{name: getattr(version, name) for name in names}, "created_at": version.created_at.isoformat()}


def _library() -> Workflows:
    from nbflow.runtime.runtime import runtime
    from nbflow.workflows.library import Workflows

    return Workflows(runtime().store)


def _find(wanted: str) -> Workflow:
    from nbflow.workflows.finding import find

    return find(_library(), wanted)


def _tell(workflow: Workflow, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(facts(workflow))
    else:
        console().print(f"workflow [bold]{plain(workflow.name)}[/] {what} [dim]({workflow.id})[/]", soft_wrap=True)


def _state(workflow: Workflow) -> str:
    return "active" if workflow.active else "not active"


def _when(moment: datetime) -> str:
    return local(moment.replace(tzinfo=None))
