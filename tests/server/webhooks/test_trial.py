"""The test URL: signed in, the latest saved definition, active or not, everything told."""

from __future__ import annotations

import httpx

from .published import echoing, publish, shaped


def call(server, path, method="POST", **options):
    token = server.settings.token.get_secret_value()
    options["headers"] = {"Authorization": f"Bearer {token}", **options.get("headers", {})}
    return httpx.request(method, f"{server.url}/webhooks-test/{path}", timeout=30, **options)


def test_it_runs_what_is_not_active(server):
    publish(server, "draft", shaped(n="{{ input.body.n + 1 }}"), active=False)
    report = call(server, "draft", json={"n": 1}).json()
    assert report["status"] == "completed"
    assert report["outputs"] == {"shape": {"n": 2}}
    assert report["error"] is None
    assert report["answer"]["status"] == 200
    assert report["answer"]["body"] == '{"n":2}'
    assert report["execution_id"]


def test_it_runs_the_latest_saved_definition(server):
    workflow = publish(server, "saved", shaped(v="1"), active=False)
    server.state.workflows.update(workflow.id, flow=echoing("saved", shaped(v="2"), name=workflow.name, response_mode="last_node"))
    assert call(server, "saved").json()["outputs"]["shape"]["v"] == "2"


def test_it_tells_why_a_flow_failed(server):
    publish(server, "wrong", shaped(x="{{ input.body.missing.there }}"), active=False)
    report = call(server, "wrong", json={}).json()
    assert report["status"] == "failed"
    assert report["error"]["node"] == "shape"
    assert report["error"]["message"]


def test_the_webhooks_own_checks_are_left_out(server):
    publish(server, "locked", auth="basic", credential="nobody-has-it", rate_limit="1/day", response_mode="at_once")
    for _ in range(2):
        report = call(server, "locked", headers={"Idempotency-Key": "k"}).json()
        assert report["status"] == "completed"
        assert report["answer"]["status"] == 202


def test_only_for_those_who_are_signed_in(server):
    publish(server, "mine")
    answer = httpx.post(f"{server.url}/webhooks-test/mine")
    assert answer.status_code == 401
    assert "error" in answer.json()
    assert httpx.post(f"{server.url}/webhooks-test/mine", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_what_is_not_there_is_explained(server):
    publish(server, "explained", methods=["PUT"], active=False)
    answer = call(server, "explaind")
    assert answer.status_code == 404
    assert "did you mean /explained?" in answer.json()["error"]["message"]
    wrong = call(server, "explained")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "PUT")


def test_bad_input_is_refused_like_on_the_real_url(server):
    publish(server, "strict", max_body_bytes=10)
    assert call(server, "strict", content=b"x" * 11).status_code == 413
    assert call(server, "strict", content=b"{", headers={"Content-Type": "application/json"}).status_code == 400
