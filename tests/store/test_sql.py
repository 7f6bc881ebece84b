"""The SQL files."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from nbflow.store.sql import migrations, read, statements

FILES = [item.name for item in files("nbflow.store").iterdir() if item.name.endswith(".sql") and item.name != "schema.sql"]


@pytest.mark.parametrize("file", FILES)
def test_every_statement_has_a_name_of_its_own(file):
    names = re.findall(r"^-- name: (\w+)$", read(file), re.MULTILINE)
    assert names == list(statements(file))


def test_migrations_are_numbered_without_gaps():
    assert list(migrations()) == list(range(1, len(migrations()) + 1))
