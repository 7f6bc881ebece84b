"""`nbflow nodes`."""

from __future__ import annotations

import inspect
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nbflow.cli.complete import node_types
from nbflow.cli.output import console, plain, print_json, table

if TYPE_CHECKING:
    from rich.console import Console

    from nbflow.catalogue.registry import Registry
    from nbflow.core.node import NodeType


def nodes(
    type_: Annotated[str | None, typer.Argument(metavar="[TYPE]", help="A node type, such as action.http.", autocompletion=node_types)] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the installed node types; with a type, explain it."""
    from nbflow.runtime.catalogue import registry

    if type_ is None:
        _list(registry(), as_json=as_json)
        return
    declared = registry().get(type_)
    if as_json:
        print_json(_facts(declared))
    else:
        _explain(console(), declared)


def _list(known: Registry, *, as_json: bool) -> None:
    declared = [known.get(name) for name in known.types()]
    plugins = known.plugins()
    if as_json:
        types = [{"type": item.type, "group": item.group, "summary": item.summary} for item in declared]
        print_json({"types": types, "plugins": [asdict(plugin) for plugin in plugins]})
        return
    screen = console()
    grid = table("type", "what it does")
    for group in known.groups():
        members = [item for item in declared if item.group == group]
        for item in members:
            grid.add_row(plain(item.type), plain(item.summary), end_section=item is members[-1])
    screen.print(grid)
    for plugin in plugins:
        trouble = f" [red]{plain(plugin.error)}[/]" if plugin.error else ""
        screen.print(
            f"plugin {plain(plugin.name)} of {plain(plugin.package)} {plain(plugin.version)}: {plain(', '.join(plugin.types)) or 'no types'}{trouble}"
        )


def _facts(declared: NodeType) -> dict[str, Any]:
    return {
        "type": declared.type,
        "group": declared.group,
        "doc": inspect.getdoc(declared.function) or "",
        "trigger": declared.trigger,
        "container": declared.container,
        "inputs": [{"name": port.name, "required": port.required, "many": port.many} for port in declared.inputs],
        "outputs": list(_outputs(declared)),
        "config": declared.config.model_json_schema() if declared.config else {},
    }


def _outputs(declared: NodeType) -> tuple[str, ...]:
    """Ports that depend on the config are those of an empty one."""
    try:
        return declared.outputs_of({})
    except Exception:  # noqa: BLE001 -- a plugin's rule may need more than an empty config
        return ()


def _explain(screen: Console, declared: NodeType) -> None:
    screen.print(f"[bold]{plain(declared.type)}[/]")
    screen.print(plain(inspect.getdoc(declared.function) or ""), soft_wrap=True)
    inputs = ", ".join(port.name + ("..." if port.many else "" if port.required else "?") for port in declared.inputs)
    depends = " (depends on the config)" if callable(declared.outputs) else ""
    screen.print(f"\n[dim]inputs [/] {plain(inputs) or 'none'}\n[dim]outputs[/] {plain(', '.join(_outputs(declared))) or 'none'}{depends}")
    if declared.config is None:
        return
    grid = table("field", "type", "default", "description")
    for name, info in declared.config.model_fields.items():
        default = "required" if info.is_required() else repr(info.get_default(call_default_factory=True, validated_data={}))
        grid.add_row(plain(info.alias or name), plain(_annotation(info.annotation)), plain(default), plain(info.description))
    screen.print(grid)


def _annotation(annotation: Any) -> str:
    text = annotation.__name__ if isinstance(annotation, type) and not hasattr(annotation, "__args__") else str(annotation)
    return text.replace("typing.", "").replace("collections.abc.", "").replace("NoneType", "None")
