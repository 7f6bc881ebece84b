"""One measured figure, and all of them as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """`value` and `baseline` share the unit. `goal` is for their ratio when there is a baseline, else for the value; None: for information."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None  # median of the ratios within pairs; without pairs, value / baseline
    goal: float | None = None
    better: Literal["less", "more"] = "less"
    note: str = ""

    @property
    def compared(self) -> float | None:
        """The value in units of the baseline."""
        if self.ratio is not None:
            return self.ratio
        return self.value / self.baseline if self.baseline else None

    @property
    def verdict(self) -> str:
        """Whether the goal is met, or by how much it is missed."""
        if self.goal is None:
            return ""
        reached = self.value if self.compared is None else self.compared
        if self.better == "more":
            return "met" if reached >= self.goal else f"missed: {reached / self.goal:.0%} of it"
        if reached <= self.goal:
            return "met"
        return f"missed: {reached / self.goal:.2g} times it" if self.goal else "missed"


def text(rows: Sequence[Row]) -> str:
    """The table, columns aligned."""
    cells = [("workload", "nbflow", "baseline", "ratio", "goal", "verdict", "note")]
    for row in rows:
        goal = "" if row.goal is None else f"{'<=' if row.better == 'less' else '>='} {number(row.goal)}{'x' if row.compared is not None else ''}"
        baseline = "" if row.baseline is None else number(row.baseline)
        compared = "" if row.compared is None else f"{row.compared:.2f}x"
        cells.append((row.name, f"{number(row.value)} {row.unit}", baseline, compared, goal, row.verdict, row.note))
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def number(value: float) -> str:
    """Three significant digits, thousands grouped."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
