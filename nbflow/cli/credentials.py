"""`nbflow credentials`. Secrets come by a prompt without echo, standard input, a file or the environment: an argument would stay in the shell's
history and be seen in the list of processes.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path  # noqa: TC003 -- typer reads annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nbflow.cli.failure import UsageError
from nbflow.cli.output import console, local, plain, print_json, table

if TYPE_CHECKING:
    from nbflow.vault.kind import KindClass
    from nbflow.vault.vault import Vault

credentials = typer.Typer(no_args_is_help=True, help="Named secrets that nodes use: kept encrypted, shown to nobody.")

Name = Annotated[str, typer.Argument(help="What flows call it by.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
_KIND = "One of `nbflow credentials kinds`; the name's own when it is one of them."


@credentials.command()
def add(
    name: Name,
    kind: Annotated[str | None, typer.Option("--kind", "-k", help=_KIND)] = None,
    field: Annotated[list[str] | None, typer.Option("--field", "-f", metavar="NAME=VALUE", help="A value that is no secret; several times.")] = None,
    file: Annotated[Path | None, typer.Option(help="Take the values from this file: a JSON object, or the only secret as it is.")] = None,
    *,
    from_env: Annotated[bool, typer.Option("--from-env", help="Take the values from the service's own environment variables.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Change the one that has this name already.")] = False,
) -> None:
    """Keep a credential. Without --file and --from-env, values are asked for; piped standard input is read like a file."""
    from nbflow.vault.environment import services_own
    from nbflow.vault.kind import kind_named

    vault = _vault()
    kind = kind or (vault.get(name).kind if replace else name)
    declaration = kind_named(kind)
    values: dict[str, Any] = _fields(field or [], declaration)
    if from_env:
        found = services_own(kind, os.environ)
        if not found:
            names = ", ".join(names[0] for names in declaration.environment.values()) or "there are none"
            message = f"the environment holds no {kind} credential (its variables: {names})"
            raise UsageError(message)
        values = {**found, **values}
    elif file is not None:
        values = {**_texts(name, kind, _content(file), str(file)), **values}
    elif not sys.stdin.isatty():
        values = {**_texts(name, kind, sys.stdin.read(), "standard input"), **values}
    else:
        values |= _asked(declaration, values)
    info = vault.update(name, values, kind=kind) if replace else vault.add(name, kind, values)
    console(stderr=True).print(f"credential [bold]{plain(info.name)}[/] ({info.kind}) is kept, its {', '.join(info.secret_fields)} encrypted")


@credentials.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """Names and kinds. Secrets are not among what can be listed."""
    found = _vault().list()
    if as_json:
        print_json([_jsonable(info) for info in found])
        return
    if not found:
        console().print("no credentials yet: `nbflow credentials add NAME --kind KIND`")
        return
    grid = table("name", "kind", "values", "secret", "changed", "last used")
    for info in found:
        shown = ", ".join(f"{name}={value}" for name, value in info.fields.items())
        used = local(info.last_used_at.replace(tzinfo=None)) if info.last_used_at else ""
        row = (info.name, info.kind, shown, ", ".join(info.secret_fields), local(info.updated_at.replace(tzinfo=None)), used)
        grid.add_row(*map(plain, row))
    console().print(grid)


@credentials.command()
def kinds() -> None:
    """Every kind of credential with its fields; the secret ones are marked by a star."""
    from nbflow.vault.kinds import KINDS

    grid = table("kind", "what", "fields")
    for name, kind in KINDS.items():
        secret = kind.secret_fields()
        grid.add_row(name, kind.title, ", ".join(field + "*" * (field in secret) for field in kind.model_fields) or "any*")
    console().print(grid)


@credentials.command("test")
def tried(name: Name, *, as_json: AsJson = False) -> None:
    """Ask the service whether it accepts the credential: the cheapest question it has, with no effect there. Exit code 1 when it does not."""
    result = _vault().test(name)
    if as_json:
        print_json({"name": name, "ok": result.ok, "message": result.message})
    else:
        mark = {True: "[green]works[/]", False: "[bold red]does not work[/]", None: "[yellow]not tested[/]"}[result.ok]
        console().print(f"{plain(name)} {mark}: {plain(result.message)}")
    if result.ok is False:
        raise typer.Exit(1)


@credentials.command()
def remove(name: Name, *, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Delete a credential. Flows that name it fail from then on."""
    vault = _vault()
    info = vault.get(name)
    if not yes and not typer.confirm(f"Remove credential '{info.name}' ({info.kind})?"):
        return
    vault.remove(str(info.id))
    console(stderr=True).print(f"credential [bold]{plain(info.name)}[/] is removed")


@credentials.command()
def rotate() -> None:
    """Encrypt every credential with a new key. A key in NBFLOW_KEY or the OS keyring is yours to change: put the new one before the old one first."""
    done = _vault().rotate()
    console(stderr=True).print(f"{done.credentials} credential{'s' * (done.credentials != 1)} encrypted anew, with key {done.key}")


def _vault() -> Vault:
    from nbflow.runtime.runtime import runtime

    return runtime().vault


def _fields(given: list[str], kind: KindClass) -> dict[str, Any]:
    """What --field says. Raises UsageError for a secret: arguments are no place for those."""
    values = {}
    for text in given:
        name, is_there, value = text.partition("=")
        if not is_there:
            message = f"--field wants NAME=VALUE, not {name!r}"
            raise UsageError(message)
        if name in kind.secret_fields() or not kind.model_fields:
            message = f"{name} is a secret: an argument would stay in the shell's history. Leave it out to be asked, or use --file or a pipe"
            raise UsageError(message)
        values[name] = value
    return values


def _content(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{file} cannot be read: {error}"
        raise UsageError(message) from None


def _texts(name: str, kind: str, text: str, place: str) -> dict[str, Any]:
    """Values out of a text: a JSON object, or the only secret as it is."""
    from nbflow.vault.environment import only_secret

    if not text.strip():
        message = f"{place} is empty"
        raise UsageError(message)
    if not text.lstrip().startswith("{"):
        return {only_secret(kind, name, place): text.rstrip("\r\n")}
    try:
        values: dict[str, Any] = json.loads(text)
    except ValueError:
        message = f"{place} begins like JSON, but is none"  # the decoder's own message would show a part of it
        raise UsageError(message) from None
    if kind == "google_service_account" and "key" not in values:
        return {"key": text}
    return {field: value for field, value in values.items() if field != "kind"}


def _asked(kind: KindClass, known: dict[str, Any]) -> dict[str, Any]:
    """What is missing, from the terminal; secrets without echo."""
    values: dict[str, Any] = {}
    if not kind.model_fields:
        while field := typer.prompt("Name of a value (empty: done)", default="", show_default=False):
            values[field] = typer.prompt(field, hide_input=True)
        return values
    secret = kind.secret_fields()
    for field, info in sorted(kind.model_fields.items(), key=lambda item: not item[1].is_required()):
        if field in known:
            continue
        hint = "" if info.is_required() else " (empty: none)" if info.default is None else f" (empty: {info.default})"
        label = f"{field}, {(info.description or '').rstrip('.')}{hint}"
        answer = typer.prompt(label, default=None if info.is_required() else "", hide_input=field in secret, show_default=False)
        if answer:
            values[field] = answer
    return values


def _jsonable(info: Any) -> dict[str, Any]:
    return {
        "id": str(info.id),
        "name": info.name,
        "kind": info.kind,
        "fields": dict(info.fields),
        "secret_fields": list(info.secret_fields),
        "created_at": info.created_at.isoformat(),
        "updated_at": info.updated_at.isoformat(),
        "last_used_at": info.last_used_at.isoformat() if info.last_used_at else None,
    }
