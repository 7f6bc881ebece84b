from __future__ import annotations

import pytest

from nbflow.accounts.directory import Directory
from nbflow.accounts.user import Identity
from nbflow.store.inline import InlineStore
from nbflow.store.memory import MemoryStore


@pytest.fixture(params=["memory", "inline"])
def store(request, tmp_path):
    made = MemoryStore() if request.param == "memory" else InlineStore(tmp_path)
    yield made
    made.close()


@pytest.fixture
def directory(store) -> Directory:
    return Directory(store)


@pytest.fixture
def home(directory):
    return directory.default()


@pytest.fixture
def ada(directory):
    return directory.sync(Identity(issuer="https://id.example.org", subject="ada", email="ada@example.org", email_verified=True, name="Ada"))


@pytest.fixture
def bob(directory):
    return directory.sync(Identity(issuer="https://id.example.org", subject="bob", name="Bob"))


@pytest.fixture
def actions(directory):
    """What the audit log of an organization tells, oldest first."""
    return lambda organization_id: [entry.action for entry in reversed(directory.audit([organization_id], limit=1000))]
