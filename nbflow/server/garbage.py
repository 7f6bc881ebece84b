"""The cyclic garbage collector of a server: what was imported stays, and need not be looked at again and again.

Imports and routes make some hundred thousand objects. Python's full collections visit all of them, several times a second under load
(measured: a tenth of the time of a small flow). Frozen, they are visited no more; collections come after more new objects.
"""

from __future__ import annotations

import gc

_NEW_OBJECTS = 20_000  # more than a few executions make; Python's own 700 collects several times in one


def settle() -> None:
    """Takes everything that lives now for permanent. Called when the start is done; again after more was imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
