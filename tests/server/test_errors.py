"""Every error has one shape, the right status, and a text that says what to do."""

from __future__ import annotations

import http.client
import inspect
import json
import socket

import pytest

from nbflow.core import errors as core
from nbflow.core.problem import Problem
from nbflow.server.errors import ApiError, answer_to, code_of, status_of

SCOPE = {"type": "http", "method": "GET", "path": "/x", "headers": [], "state": {"request_id": "r-1"}}


def told(error):
    response = answer_to(error, SCOPE)
    return response.status_code, json.loads(response.body)["error"], response.headers


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (core.UnknownWorkflowError("w"), 404, "unknown_workflow"),
        (core.UnknownVersionError("w", 3), 404, "unknown_version"),
        (core.UnknownExecutionError("none"), 404, "unknown_execution"),
        (core.UnknownCredentialError("none"), 404, "unknown_credential"),
        (core.UnknownAccountError("id", "member"), 404, "unknown_account"),
        (core.WebhookClashError("/p", "POST", "w"), 409, "webhook_clash"),
        (core.VersionConflictError("w", 1, 2), 409, "version_conflict"),
        (core.LastOwnerError("o"), 409, "last_owner"),
        (core.RetryError("not now"), 409, "not_repeatable"),
        (core.DocumentError("no document"), 422, "invalid_document"),
        (core.ParameterError("f", "p", "wrong"), 422, "invalid_parameter"),
        (core.CredentialError("wrong"), 422, "invalid_credential"),
        (core.PublishError("no"), 422, "publish"),
        (core.NotSignedInError("sign in"), 401, "not_signed_in"),
        (core.ForbiddenError("no", permission="x"), 403, "forbidden"),
        (core.QueueFullError("full"), 503, "queue_full"),
        (core.StoreBusyError("busy"), 503, "store_busy"),
        (ApiError(418, "teapot", "short and stout"), 418, "teapot"),
    ],
)
def test_an_error_on_purpose_keeps_its_message(error, status, code):
    found, body, _ = told(error)
    assert (found, body["code"], body["message"]) == (status, code, str(error))


def test_what_to_do_about_it_goes_with_the_answer():
    assert told(core.QueueFullError("full"))[2]["retry-after"] == "1"
    assert told(core.NotSignedInError("sign in"))[2]["www-authenticate"].startswith("Bearer")
    problem = Problem("unknown-type", "unknown node type", node="a", field="type")
    assert told(core.CheckError("f", [problem]))[1]["details"]["problems"][0]["node"] == "a"
    assert told(core.ParameterError("f", "p", "wrong"))[1]["details"] == {"parameter": "p"}


@pytest.mark.parametrize("error", [ValueError("the password is secret"), core.QueryError("SELECT secret"), core.NbflowError("inner secret")])
def test_what_nobody_foresaw_tells_nothing_but_the_request_id(error):
    status, body, _ = told(error)
    assert (status, body["code"], body["details"]) == (500, "internal", {"request_id": "r-1"})
    assert "secret" not in json.dumps(body)


def test_every_error_that_a_route_can_meet_has_a_status_of_its_own():
    before_or_after = {"NbflowError", "QueryError", "ServerRunningError", "AddressError", "SettingsError"}  # of the start, or our own mistake
    ends = {base for base in vars(core).values() if inspect.isclass(base) and issubclass(base, core.ExecutionError | core.NodeError)}
    kinds = [kind for kind in vars(core).values() if inspect.isclass(kind) and issubclass(kind, core.NbflowError)]
    unmapped = {
        kind.__name__ for kind in kinds if status_of(kind.__new__(kind)) == 500 and (kind not in ends or issubclass(kind, core.CredentialError))
    }
    assert unmapped <= before_or_after
    codes = [code_of(kind) for kind in kinds]
    assert len(set(codes)) == len(codes)


# Over a real socket -----------------------------------------------------------------------------


def raw(server, request: bytes) -> http.client.HTTPResponse:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    connection.sendall(request)
    response = http.client.HTTPResponse(connection)
    response.begin()
    connection.close()
    return response


def error(answer, status):
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    assert set(answer.json()["error"]) == {"code", "message", "details"}
    return answer.json()["error"]


def test_malformed_json_is_400(server):
    found = error(server.client.post("/workflows", content=b'{"definition": ', headers={"Content-Type": "application/json"}), 400)
    assert found["code"] == "malformed_json"
    assert found["details"]["position"] == 15


def test_a_body_that_does_not_say_that_it_is_json_is_415(server):
    found = error(server.client.post("/workflows", content=b"{}", headers={"Content-Type": "text/plain"}), 415)
    assert "application/json" in found["message"]
    assert error(server.client.post("/workflows", content=b"{}"), 415)["code"] == "unsupported_media_type"


@pytest.mark.parametrize(
    "body", [[], "text", 7, None, {"definition": "text"}, {"definition": {}, "tags": "one"}, {"definition": {}, "active": "maybe"}]
)
def test_wrong_types_are_422_with_the_field(server, body):
    found = error(server.client.post("/workflows", json=body), 422)
    assert found["code"] in {"invalid_request", "invalid_document"}
    assert found["message"]


def test_an_oversized_body_is_413_whether_it_announces_its_size_or_not(fresh_server):
    server = fresh_server(max_body_bytes=10_000)
    kind = {"Content-Type": "application/json"}
    assert error(server.client.post("/workflows", content=b" " * 20_000, headers=kind), 413)["code"] == "body_too_large"
    assert error(server.client.post("/workflows", content=(b" " * 1000 for _ in range(20)), headers=kind), 413)["code"] == "body_too_large"
    assert server.client.post("/workflows", content=b" " * 9_000 + b"{}", headers=kind).status_code == 422


def test_an_unknown_path_is_404_and_says_where_the_list_is(server):
    assert "/docs" in error(server.client.get("/workflow"), 404)["message"]


def test_an_unknown_method_is_405_with_those_that_are_known(server):
    answer = server.client.patch("/workflows")
    assert "it takes GET, POST" in error(answer, 405)["message"]
    assert answer.headers["allow"] == "GET, POST"
    id_ = "00000000-0000-7000-8000-000000000000"
    assert server.client.patch(f"/workflows/{id_}").headers["allow"] == "DELETE, GET, PUT"
    assert error(server.client.request("PROPFIND", "/workflows"), 405)["code"] == "method_not_allowed"


def test_a_verb_that_http_does_not_know_is_refused_and_the_server_lives(server):
    head = f"BREW /api/v1/workflows HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n"
    assert raw(server, head.encode()).status == 400
    assert server.anonymous.get("/health").status_code == 200


def test_a_fault_of_the_server_is_logged_under_the_id_that_the_answer_tells(server, monkeypatch, caplog):
    def broken(*_, **__):
        raise RuntimeError("the inside of the server")

    monkeypatch.setattr(server.state.workflows, "list", broken)
    answer = server.client.get("/workflows", headers={"X-Request-Id": "mine-42"})
    found = error(answer, 500)
    assert (found["code"], found["details"]) == ("internal", {"request_id": "mine-42"})
    assert "inside" not in answer.text
    assert "mine-42" in caplog.text
    assert "the inside of the server" in caplog.text


def test_a_store_that_does_not_answer_is_503_with_a_time_to_come_back(server, monkeypatch):
    def busy(*_, **__):
        raise core.StoreBusyError("the store gave no answer in 30.0 s")

    monkeypatch.setattr(server.state.workflows, "list", busy)
    answer = server.client.get("/workflows")
    assert (error(answer, 503)["code"], answer.headers["retry-after"]) == ("store_busy", "1")
