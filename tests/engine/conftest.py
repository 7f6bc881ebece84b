"""No process outlives the loop that started it."""

from collections.abc import AsyncIterator

import pytest

from nbflow.engine.guard import processes


@pytest.fixture(autouse=True)
async def _no_processes_left() -> AsyncIterator[None]:
    yield
    await processes.close()
