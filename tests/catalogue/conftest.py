"""Doubles every node test may ask for."""

from pathlib import Path

import pytest

from nbflow.testing import FakeContext


@pytest.fixture
def ctx(tmp_path: Path) -> FakeContext:
    return FakeContext(project=tmp_path)
