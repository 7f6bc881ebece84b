"""Files as their users know them."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_named: dict[str, str] = {}


def name_files(names: Mapping[str, str]) -> None:
    """From now on these files are shown by other names: published code lies in folders that nobody has made."""
    _named.update(names)


def place_of(filename: str) -> str:
    """`Cell In[3]` for a notebook cell, a given name, else relative to the working folder where that is shorter."""
    if filename in _named:
        return _named[filename]
    if "IPython" in sys.modules:
        from IPython.core.getipython import get_ipython

        shell = get_ipython()
        if shell is not None and (words := shell.compile.format_code_name(filename)):
            return " ".join(words)
    with contextlib.suppress(ValueError, OSError):
        relative = os.path.relpath(filename)
        return relative if len(relative) < len(filename) else filename
    return filename
