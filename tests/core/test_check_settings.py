"""Problems of settings."""

from datetime import timedelta

import pytest
from small_flows import call, flow, function_type

from nbflow.core.flow import FlowSettings, Node, NodeSettings, Retry


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (NodeSettings(retry=Retry(max_tries=0)), "settings.retry.max_tries"),
        (NodeSettings(retry=Retry(wait=timedelta(seconds=-1))), "settings.retry.wait"),
        (NodeSettings(retry=Retry(max_wait=timedelta(seconds=-1))), "settings.retry.max_wait"),
        (NodeSettings(retry=Retry(backoff=0)), "settings.retry.backoff"),
        (NodeSettings(retry=Retry(jitter=1.1)), "settings.retry.jitter"),
        (NodeSettings(timeout=timedelta(0)), "settings.timeout"),
        (NodeSettings(concurrency=0), "settings.concurrency"),
    ],
)
def test_settings_that_cannot_be_followed_are_told(problems, settings, field):
    node = Node(id="a", type="python.function", config={"function": "f"}, settings=settings)
    (found,) = problems(flow(node), f=function_type())
    assert (found.code, found.node, found.field) == ("bad-settings", "a", field)


@pytest.mark.parametrize("type_", ["test.start", "test.loop"])
def test_each_is_for_nodes_with_items(problems, type_):
    nodes = (Node(id="a", type=type_, settings=NodeSettings(each=True)), call("b", "f", parent="a" if type_ == "test.loop" else None))
    (found,) = problems(flow(*nodes), f=function_type())
    assert found.field == "settings.each"


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (FlowSettings(concurrency=0), "settings.concurrency"),
        (FlowSettings(timeout=timedelta(seconds=-1)), "settings.timeout"),
        (FlowSettings(timezone="Mars/Base"), "settings.timezone"),
        (FlowSettings(timezone="../etc/passwd"), "settings.timezone"),
        (FlowSettings(timezone="America"), "settings.timezone"),
        (FlowSettings(timezone=""), "settings.timezone"),
    ],
)
def test_settings_of_a_flow_are_told(problems, settings, field):
    (found,) = problems(flow(call("a", "f"), settings=settings), f=function_type())
    assert (found.code, found.node, found.field) == ("bad-settings", None, field)


def test_good_settings_pass(problems):
    settings = NodeSettings(retry=Retry(), timeout=timedelta(seconds=1), concurrency=1, each=True)
    node = Node(id="a", type="python.function", config={"function": "f"}, settings=settings)
    assert problems(flow(node, settings=FlowSettings(timezone="Europe/Berlin")), f=function_type()) == []
