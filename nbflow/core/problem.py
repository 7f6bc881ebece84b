"""One thing that is wrong with a flow document, in words a user can act on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """`node` and `field` are None when the problem belongs to the whole flow. `code` is stable, for tests and editors."""

    code: str
    message: str
    node: str | None = None
    field: str | None = None

    def __str__(self) -> str:
        where = f"node '{self.node}'" if self.node else "flow"
        if self.field:
            where += f", field '{self.field}'"
        return f"{where}: {self.message}"
