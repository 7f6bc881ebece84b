"""The check over a small catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from small_flows import FakeCatalogue

from nbflow.core.check import check

if TYPE_CHECKING:
    from nbflow.core.flow import Flow
    from nbflow.core.node import NodeType
    from nbflow.core.problem import Problem


@pytest.fixture
def problems():
    """Checks a flow; gives all problems."""

    def run(checked: Flow, **functions: NodeType) -> list[Problem]:
        return check(checked, FakeCatalogue(**functions))

    return run
