"""What `nbflow serve --example` prints: files to start from when the server is to stay."""

from __future__ import annotations

import json
from importlib.resources import files
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, SecretStr

from nbflow.server.settings import FILE, TABLE, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = {"systemd": "nbflow.service", "container": "Containerfile", "nginx": "nginx.conf"}
NAMES = ("config", *FILES)
_WIDTH = 110


def example(name: str) -> str:
    """The text of one of NAMES. Raises KeyError."""
    return config() if name == "config" else files("nbflow.server").joinpath("deploy", FILES[name]).read_text("utf-8")


def config() -> str:
    """`nbflow.toml` with every setting, its meaning and its default, all commented out."""
    lines = [
        f"# {FILE}: settings of `nbflow serve`, in the project folder. Everything is as it is without this file until you take a # away.",
        "# Each can be a flag (--max-running 4) or a variable (NBFLOW_SERVER_MAX_RUNNING=4) too; both come before this file.",
        "# Secrets are better kept out of files that are shared: set NBFLOW_SERVER_TOKEN, NBFLOW_SERVER_OIDC__CLIENT_SECRET.",
    ]
    return "\n".join([*lines, "", *_table(ServerSettings, TABLE)]) + "\n"


def _table(model: type[BaseModel], name: str) -> Iterator[str]:
    inner = []
    yield f"[{name}]"
    for field, described in model.model_fields.items():
        if isinstance(described.annotation, type) and issubclass(described.annotation, BaseModel):
            inner.append((described.annotation, f"{name}.{field}"))
            continue
        yield ""
        yield from (f"## {line}" for line in wrap(str(described.description), _WIDTH))
        yield f"# {field} = {_default(described)}"
    for kind, heading in inner:
        yield ""
        yield f"# [{heading}]"
        yield from list(_table(kind, heading))[1:]


def _default(field: Any) -> str:
    """As TOML; TOML has no null, so what has no default is shown empty."""
    if field.annotation is SecretStr or field.default is None:
        return '""'
    value = field.default
    return json.dumps(list(value) if isinstance(value, tuple) else value)
