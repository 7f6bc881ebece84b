"""Which store a program gets."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nbflow.core.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from nbflow.store.interface import Store


def open_store(project: Path | None = None) -> Store:
    """The store of `project` (default: `find_project()`), of the kind that NBFLOW_STORE names: shared (default), inline or memory.

    Raises StoreReadOnlyError when the folder refuses writing, StoreError for an unknown kind.
    """
    kind = os.environ.get("NBFLOW_STORE", "shared")
    if kind == "memory":
        from nbflow.store.memory import MemoryStore

        return MemoryStore()
    if kind == "inline":
        from nbflow.store.inline import InlineStore

        return InlineStore(project)
    if kind == "shared":
        from nbflow.store.client import SharedStore

        return SharedStore(project)
    msg = f"NBFLOW_STORE is '{kind}'; it can be shared, inline or memory"
    raise StoreError(msg)
