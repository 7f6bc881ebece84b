"""Values too large for a row."""

from __future__ import annotations

import hashlib

import pytest
from traffic import new_id, node

from nbflow.core.errors import StoreError
from nbflow.store.artifacts import LINE_BYTES, Artifacts, fetch, shed


@pytest.fixture
def artifacts(tmp_path):
    return Artifacts(tmp_path)


def test_the_same_content_is_kept_once_under_its_digest(artifacts):
    assert artifacts.save(b"abc") == artifacts.save(b"abc") == hashlib.sha256(b"abc").hexdigest()
    assert len(list(artifacts.digests())) == 1
    assert artifacts.total_bytes() == 3
    assert artifacts.open(hashlib.sha256(b"abc").hexdigest()) == b"abc"


def test_what_is_gone_is_said_so(artifacts):
    digest = artifacts.save(b"abc")
    artifacts.delete(digest)
    with pytest.raises(StoreError, match="was pruned"):
        artifacts.open(digest)


def test_a_name_cannot_lead_out_of_the_folder(artifacts):
    with pytest.raises(StoreError, match="not the name"):
        artifacts.open("../../etc/passwd")


def test_only_as_much_is_shed_as_it_takes(artifacts):
    record = node(new_id(), payload="p" * 100_000) | {"input": "i" * 1000}
    owner, lean = shed(record, artifacts)
    assert owner["k"] == "artifact"
    assert lean["input"] == record["input"]
    assert len(str(lean)) < LINE_BYTES
    assert fetch(lean["payload"], artifacts) == record["payload"]
