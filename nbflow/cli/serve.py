"""`nbflow serve`. Its options are the server's settings: one schema for flags, environment, file and documentation."""

from __future__ import annotations

from inspect import Parameter, Signature
from pathlib import Path  # noqa: TC003 -- typer reads annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from nbflow.cli.failure import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FLAGS = "nbflow.flags"  # where the options that were given wait in the command's context


class ServeCommand(TyperCommand):
    """A command with an option for each setting, made when they are looked at: the settings' schema costs an import."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The command's own options and one for each setting. Secrets have none: an argument is seen in the list of processes."""
        own = super().get_params(ctx)
        return [*own[:-1], *setting_options(), own[-1]]  # the last is --help


def setting_options() -> list[Any]:
    """One option for each setting that is not a secret; `--oidc-issuer` for a setting inside `oidc`."""

    def given(**_values: str | None) -> None:
        """Only its signature counts: Typer makes options of it."""

    parameters = [
        Parameter("_".join(path), Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, _option(path, field)])
        for path, field in setting_fields()
    ]
    given.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    given.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    alone = typer.Typer(add_completion=False)
    alone.command(add_help_option=False)(given)
    return list(typer.main.get_command(alone).params)


def _option(path: tuple[str, ...], field: Any) -> Any:
    flag = f"--{'-'.join(path).replace('_', '-')}"
    return typer.Option(flag, help=_help(field), metavar=_metavar(field), expose_value=False, show_default=False, callback=_keep(path))


def setting_fields() -> Iterator[tuple[tuple[str, ...], Any]]:
    """The path and the pydantic field of each setting that may be a flag."""
    from nbflow.server.settings import OidcSettings, ServerSettings

    for name, field in ServerSettings.model_fields.items():
        if field.annotation is OidcSettings:
            yield from (((name, inner), described) for inner, described in OidcSettings.model_fields.items() if not _is_secret(described))
        elif not _is_secret(field):
            yield (name,), field


def serve(
    context: typer.Context,
    *,
    config: Annotated[Path | None, typer.Option(help="Read settings from this file instead of nbflow.toml in the project folder.")] = None,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the pages in a browser.")] = False,
    example: Annotated[str | None, typer.Option(help="Print an example and end: config, systemd, container or nginx.")] = None,
) -> None:
    """Serve this project: webhooks, REST API and pages.

    Each setting can also be a variable (NBFLOW_SERVER_PORT) or stand in nbflow.toml; flags come first. Secrets have no flag.
    """
    try:
        if example is not None:
            typer.echo(_example(example), nl=False)
            return
        from nbflow.server.serve import serve as run
        from nbflow.server.settings import ServerSettings
    except ModuleNotFoundError as error:
        message = f'the server needs packages that are not installed ({error.name}): pip install "nbflow[server]"'
        raise UsageError(message) from None
    run(ServerSettings.load(context.meta.get(_FLAGS, {}), file=config), open_browser=open_browser)


def _example(name: str) -> str:
    from nbflow.server.example import NAMES, example

    if name not in NAMES:
        message = f"--example {name}: there are {', '.join(NAMES)}"
        raise UsageError(message)
    return example(name)


def _is_secret(field: Any) -> bool:
    from pydantic import SecretStr

    return field.annotation is SecretStr or SecretStr in getattr(field.annotation, "__args__", ())


def _help(field: Any) -> str:
    default = field.default
    if default is None or default in ("", ()):
        return str(field.description)
    shown = ", ".join(default) if isinstance(default, tuple) else str(default)
    return f"{field.description} [default: {shown}]"


def _metavar(field: Any) -> str:
    from typing import Literal, get_args, get_origin

    if get_origin(field.annotation) is Literal:
        return "[" + "|".join(get_args(field.annotation)) + "]"
    kinds = {int: "INTEGER", float: "NUMBER", bool: "true|false"}
    return next((word for kind, word in kinds.items() if field.annotation is kind or kind in get_args(field.annotation)), "TEXT")


def _keep(path: tuple[str, ...]) -> Any:
    """Puts a given flag where `serve` finds it: what was not given must not hide a variable or the file."""

    def keep(context: typer.Context, value: str | None) -> None:
        if value is None:
            return
        place = context.meta.setdefault(_FLAGS, {})
        for name in path[:-1]:
            place = place.setdefault(name, {})
        place[path[-1]] = value

    return keep
