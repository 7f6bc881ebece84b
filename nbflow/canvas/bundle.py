"""The built front end that ships with the package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from nbflow.core.errors import NbflowError

_FOLDER = "static/canvas"


class NotBuiltError(NbflowError):
    """The front end is not there: a clone that was not set up."""


@cache
def built(name: str) -> str:
    """The text of `canvas.js`, `widget.js` or `panel.js`. Raises NotBuiltError."""
    file = files("nbflow").joinpath(_FOLDER, name)
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        message = f"the canvas is not built (nbflow/{_FOLDER}/{name} is missing): run `make demo` or `node extensions/build.mjs` in the clone"
        raise NotBuiltError(message) from None
