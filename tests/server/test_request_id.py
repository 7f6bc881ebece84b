"""Request ids over a real socket."""

from __future__ import annotations

from uuid import UUID

import httpx
import pytest


def test_every_answer_has_an_id_of_its_own(server):
    ids = [server.anonymous.get(path).headers["x-request-id"] for path in ("/health", "/workflows", "/nothing")]
    assert len({UUID(id_) for id_ in ids}) == 3


def test_the_caller_can_bring_an_id(server):
    assert server.client.get("/workflows", headers={"X-Request-Id": "order.7:retry-1"}).headers["x-request-id"] == "order.7:retry-1"


@pytest.mark.parametrize("id_", ["x" * 65, "two words", 'quote"', "<b>", ""])
def test_an_id_that_could_not_stand_in_a_log_line_is_replaced(server, id_):
    assert UUID(server.anonymous.get("/health", headers={"X-Request-Id": id_}).headers["x-request-id"])


def test_webhooks_have_ids_too(server):
    assert UUID(httpx.post(f"{server.url}/webhooks/nothing").headers["x-request-id"])
