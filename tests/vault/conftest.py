"""Stores and vaults of the test's own, and a server that answers what it was asked."""

import pytest

from nbflow.store.inline import InlineStore
from nbflow.store.memory import MemoryStore
from nbflow.vault.vault import Vault

from .echo import echoing


@pytest.fixture(params=["memory", "inline"])
def store(request, tmp_path):
    made = MemoryStore() if request.param == "memory" else InlineStore(tmp_path)
    yield made
    made.close()


@pytest.fixture
def in_files(tmp_path):
    """A store that has a folder."""
    made = InlineStore(tmp_path)
    yield made
    made.close()


@pytest.fixture
def vault(store):
    return Vault(store, environment={})


@pytest.fixture
def echo():
    with echoing() as server:
        yield server
