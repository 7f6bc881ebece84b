"""Named SQL: each statement of a `.sql` file under its name."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def statements(file: str) -> dict[str, str]:
    """The statements of `nbflow/store/<file>` by name, comments left in, in the order of the file."""
    parts = _NAME.split(read(file))
    return {name: body.strip().rstrip(";") for name, body in zip(parts[1::2], parts[2::2], strict=True)}


@cache
def read(file: str) -> str:
    """The text of a SQL file of this package."""
    return files("nbflow.store").joinpath(file).read_text("utf-8")


@cache
def migrations() -> dict[int, str]:
    """The scripts of migrations/ by number, in order."""
    folder = files("nbflow.store").joinpath("migrations")
    scripts = {int(item.name[:4]): item.read_text("utf-8") for item in folder.iterdir() if item.name.endswith(".sql")}
    return dict(sorted(scripts.items()))
