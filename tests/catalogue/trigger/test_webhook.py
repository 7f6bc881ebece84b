import pytest
from pydantic import ValidationError

from nbflow.catalogue.trigger.webhook import WebhookConfig
from nbflow.testing import FakeContext, run_node


async def test_the_request_goes_on() -> None:
    request = {"method": "POST", "body": {"id": 1}}
    assert await run_node("trigger.webhook", {"path": "orders"}, ctx=FakeContext(input=request)) is request


async def test_nothing_follows_a_request_that_only_run_if_refuses() -> None:
    config = {"path": "orders", "only_run_if": "input.body.type == 'order'"}
    order, other = {"body": {"type": "order"}}, {"body": {"type": "ping"}}
    assert await run_node("trigger.webhook", config, ctx=FakeContext(input=order)) == order
    assert (await run_node("trigger.webhook", config, ctx=FakeContext(input=other))).ports == {}


@pytest.mark.parametrize(
    ("given", "stored"), [("orders", "/orders"), ("/orders/", "/orders"), ("/users/:id/orders/:order_id", "/users/:id/orders/:order_id")]
)
def test_equal_paths_are_equal_texts(given: str, stored: str) -> None:
    assert WebhookConfig(path=given).path == stored


@pytest.mark.parametrize("path", ["", "/", "a//b", "a/../b", "a b", "a/:", "a/:1", ":id/:id", "a?b", "ä"])
def test_a_path_that_cannot_be_matched_is_refused(path: str) -> None:
    with pytest.raises(ValidationError, match=r"segment|parameter occurs twice"):
        WebhookConfig(path=path)


def test_methods_are_one_name_or_several() -> None:
    assert WebhookConfig(path="a", methods="get").methods == ("GET",)
    assert WebhookConfig(path="a", methods=["get", "POST", "GET"]).methods == ("GET", "POST")
    for wrong in ([], "FETCH", 3):
        with pytest.raises(ValidationError):
            WebhookConfig(path="a", methods=wrong)


def test_auth_and_credential_go_together() -> None:
    assert WebhookConfig(path="a", auth="hmac", credential="github").credential == "github"
    with pytest.raises(ValidationError, match="needs the field 'credential'"):
        WebhookConfig(path="a", auth="basic")
    with pytest.raises(ValidationError, match="nobody would check it"):
        WebhookConfig(path="a", credential="github")


def test_networks_are_addresses_or_networks() -> None:
    assert WebhookConfig(path="a", allowed_networks=["10.1.2.3", "10.0.0.0/8"]).allowed_networks == ("10.1.2.3/32", "10.0.0.0/8")
    with pytest.raises(ValidationError):
        WebhookConfig(path="a", allowed_networks=["home"])


def test_all_methods_have_a_short_name() -> None:
    every = WebhookConfig(path="a", methods="*").methods
    assert {"GET", "POST", "OPTIONS", "PROPFIND"} <= set(every)
    assert WebhookConfig(path="a", methods=["ANY"]).methods == every


def test_what_a_signature_protects_must_be_signed() -> None:
    assert WebhookConfig(path="a", hmac={"signed": "v0:{timestamp}:{body}", "timestamp_header": "X-Time"}).hmac.tolerance.total_seconds() == 300
    for rules, reason in [
        ({"signed": "{timestamp}", "timestamp_header": "X-Time"}, "exchange the body"),
        ({"timestamp_header": "X-Time"}, "could change the time"),
        ({"signed": "{timestamp}.{body}"}, "in which header"),
    ]:
        with pytest.raises(ValidationError, match=reason):
            WebhookConfig(path="a", hmac=rules)


def test_token_algorithms_are_of_one_kind() -> None:
    assert WebhookConfig(path="a", jwt={"algorithms": ["RS256", "ES256"]}).jwt.algorithms == ("RS256", "ES256")
    for wrong in (["HS256", "RS256"], ["none"]):
        with pytest.raises(ValidationError):
            WebhookConfig(path="a", jwt={"algorithms": wrong})


def test_rates_are_a_count_and_a_time() -> None:
    assert WebhookConfig(path="a", rate_limit="10 per minute").rate_limit == "10 per minute"
    for wrong in ("10", "ten/minute", "0/second", "5/week"):
        with pytest.raises(ValidationError):
            WebhookConfig(path="a", rate_limit=wrong)
