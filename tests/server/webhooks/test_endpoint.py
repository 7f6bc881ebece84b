"""Requests over a real socket: found, or told why not."""

from __future__ import annotations

import json
import socket
import time

import httpx
import pytest

from .published import echoing, executions, publish, shaped


@pytest.fixture(scope="module")
def hooks(server):
    publish(server, "echo", methods="*")
    publish(server, "users/:id/orders/:order_id", methods=["POST", "GET"])
    publish(server, "users/me/orders/:order_id", methods=["POST"], response_data="none")
    publish(server, "sleeping", active=False)
    return server


def call(server, method, path, **options):
    return httpx.request(method, f"{server.url}/webhooks{path}", timeout=30, **options)


def test_a_request_becomes_the_flows_input(hooks):
    answer = call(hooks, "POST", "/echo?a=1&b=2&b=3", json={"id": 7}, headers={"X-Two": "yes", "Authorization": "Bearer abc", "Cookie": "a=b"})
    assert answer.status_code == 200
    value = answer.json()
    assert (value["method"], value["path"], value["params"]) == ("POST", "/echo", {})
    assert value["query"] == {"a": "1", "b": ["2", "3"]}
    assert value["body"] == {"id": 7}
    assert value["files"] == {}
    assert value["headers"]["x-two"] == "yes"


def test_headers_that_carry_secrets_are_not_in_it(hooks):
    sent = {"Authorization": "Bearer abc", "Cookie": "a=b", "X-Api-Key": "k", "Proxy-Authorization": "Basic x"}
    headers = call(hooks, "POST", "/echo", json={}, headers=sent).json()["headers"]
    assert not {name.lower() for name in sent} & set(headers)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "QUERY"])
def test_any_method_can_be_registered(hooks, method):
    assert call(hooks, method, "/echo").json()["method"] == method


def test_the_answer_to_head_has_no_body(hooks):
    answer = call(hooks, "HEAD", "/echo")
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) > 10
    assert answer.content == b""


def test_segments_become_params(hooks):
    value = call(hooks, "POST", "/users/7/orders/a%2Fb%20c").json()
    assert value["params"] == {"id": "7", "order_id": "a/b c"}
    assert value["path"] == "/users/7/orders/a/b c"


def test_a_literal_segment_goes_before_a_parameter(hooks):
    assert call(hooks, "POST", "/users/me/orders/1").status_code == 204
    assert call(hooks, "GET", "/users/me/orders/1").json()["params"] == {"id": "me", "order_id": "1"}


def test_a_wrong_method_is_told_the_right_ones(hooks):
    answer = call(hooks, "DELETE", "/users/1/orders/2")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"
    error = answer.json()["error"]
    assert error["code"] == "method_not_allowed"
    assert "it takes GET, POST" in error["message"]


def test_an_unknown_path_names_the_nearest(hooks):
    answer = call(hooks, "POST", "/ecko")
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert error["code"] == "webhook_not_found"
    assert "did you mean /echo?" in error["message"]


def test_a_stranger_hears_of_no_other_path(hooks):
    answer = call(hooks, "POST", "/ecko", headers={"X-Forwarded-For": "203.0.113.9"})
    assert answer.status_code == 404
    assert "echo" not in answer.text


def test_an_inactive_workflow_says_so(hooks):
    answer = call(hooks, "POST", "/sleeping")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "webhook_inactive"


def test_an_unknown_verb_is_refused(hooks):
    with socket.create_connection(("127.0.0.1", hooks.port), timeout=10) as connection:
        connection.sendall(b"BREW /webhooks/echo HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 400 ")


def test_what_is_published_counts_from_the_next_request(hooks):
    assert call(hooks, "POST", "/late").status_code == 404
    workflow = publish(hooks, "late")
    assert call(hooks, "POST", "/late").status_code == 200
    hooks.state.workflows.deactivate(workflow.id)
    assert call(hooks, "POST", "/late").json()["error"]["code"] == "webhook_inactive"
    hooks.state.workflows.delete(workflow.id)
    assert call(hooks, "POST", "/late").json()["error"]["code"] == "webhook_not_found"


def test_a_changed_definition_is_the_one_that_runs(hooks):
    workflow = publish(hooks, "changing", shaped(version="1"))
    assert call(hooks, "POST", "/changing").json()["version"] == "1"
    changed = echoing("changing", shaped(version="2"), name=workflow.name, response_mode="last_node")
    hooks.state.workflows.update(workflow.id, flow=changed)
    assert call(hooks, "POST", "/changing").json()["version"] == "2"


# Bodies ------------------------------------------------------------------------------------------------


def test_the_raw_bytes_are_kept_exactly(hooks):
    publish(hooks, "raw-body", shaped(data="{{ input.body }}"), raw_body=True, response_data="first_file")
    sent = bytes(range(256)) + b'{"a": 1.0,  "a":\t2}\r\n' + "ä\u2028".encode()
    answer = call(hooks, "POST", "/raw-body", content=sent, headers={"Content-Type": "application/json"})
    assert answer.content == sent


@pytest.mark.parametrize(
    ("content", "content_type", "expected"),
    [
        (b'{"a": [1, 2.5, null]}', "application/json; charset=utf-8", {"a": [1, 2.5, None]}),
        (b'{"a": 1}', "application/vnd.acme+json", {"a": 1}),
        (b"a=1&b=%C3%A4&b=", "application/x-www-form-urlencoded", {"a": "1", "b": ["ä", ""]}),
        (b'{"a": 1}', "application/x-www-form-urlencoded", {"a": 1}),
        ("grün".encode("latin-1"), "text/plain; charset=latin-1", "grün"),
        ("<a>ü</a>".encode(), "application/xml", "<a>ü</a>"),
        (b'{"a": 1}', None, {"a": 1}),
        (b"plain", None, "plain"),
        (b"", "application/json", None),
    ],
)
def test_a_body_is_read_as_its_type_says(hooks, content, content_type, expected):
    headers = {"Content-Type": content_type} if content_type else {}
    assert call(hooks, "POST", "/echo", content=content, headers=headers).json()["body"] == expected


def test_integers_beyond_64_bits_stay_exact(hooks):
    publish(hooks, "exact", shaped(last="{{ input.body % 1000 }}"))
    assert (
        call(hooks, "POST", "/exact", content=b"123456789012345678901234567891", headers={"Content-Type": "application/json"}).json()["last"] == 891
    )


def test_files_arrive_as_bytes_with_name_and_type(hooks):
    publish(hooks, "upload", shaped(file="{{ input.files.report }}"), response_data="first_file")
    content = bytes(range(256)) * 10 + b"\r\n--x\r\n"
    answer = call(hooks, "POST", "/upload", files={"report": ("größe.pdf", content, "application/pdf")}, data={"note": "hi"})
    assert answer.content == content
    assert answer.headers["content-type"] == "application/pdf"
    assert "gr%C3%B6%C3%9Fe.pdf" in answer.headers["content-disposition"]


def test_fields_and_several_files_of_one_name(hooks):
    files = [
        ("f", ("a.txt", b"A", "text/plain")),
        ("f", ("b.bin", b"\x00", "application/octet-stream")),
        ("tag", (None, b"x")),
        ("tag", (None, b"y")),
    ]
    value = call(hooks, "POST", "/echo", files=files).json()
    assert value["body"] == {"tag": ["x", "y"]}
    assert [(one["name"], one["content_type"]) for one in value["files"]["f"]] == [("a.txt", "text/plain"), ("b.bin", "application/octet-stream")]


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b'{"a": ', {"Content-Type": "application/json"}, 400, "malformed_json"),
        (b'{"a": NaN}', {"Content-Type": "application/json"}, 400, "malformed_json"),
        (b"[" * 100_000, {"Content-Type": "application/json"}, 400, "malformed_json"),
        (b"\xff\xfe", {"Content-Type": "text/plain; charset=utf-8"}, 400, "malformed_text"),
        (b"x", {"Content-Type": "text/plain; charset=klingon"}, 415, "unsupported_charset"),
        (b"\x1f\x8b", {"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415, "unsupported_encoding"),
        (b"x", {"Content-Type": "multipart/form-data"}, 400, "malformed_multipart"),
        (b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx", {"Content-Type": "multipart/form-data; boundary=b"}, 400, "malformed_multipart"),
        (b"&".join(b"a%d=1" % n for n in range(2000)), {"Content-Type": "application/x-www-form-urlencoded"}, 400, "malformed_request"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read_gets_a_clear_error(hooks, content, headers, status, code):
    answer = call(hooks, "POST", "/echo", content=content, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_body_that_is_too_large_is_refused_before_it_is_read(hooks):
    workflow = publish(hooks, "small", max_body_bytes=100)
    assert call(hooks, "POST", "/small", json="x" * 90).status_code == 200
    answer = call(hooks, "POST", "/small", content=b"x" * 101)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "body_too_large"
    with socket.create_connection(("127.0.0.1", hooks.port), timeout=10) as connection:
        connection.sendall(b"POST /webhooks/small HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
        head = connection.recv(65536)
        assert head.startswith(b"HTTP/1.1 413 ")
        assert b"connection: close" in head.lower()
    assert executions(hooks, workflow) == 1


def test_an_endless_body_without_length_is_cut_off(hooks):
    publish(hooks, "endless", max_body_bytes=200_000)
    sent = 0
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", hooks.port), timeout=20) as connection:
        connection.sendall(b"POST /webhooks/endless HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        deadline = time.monotonic() + 20
        try:
            while time.monotonic() < deadline and sent < 500_000_000:
                connection.sendall(chunk)
                sent += len(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert sent < 50_000_000


def test_a_chunked_body_that_is_too_large_gets_its_answer(hooks):
    def chunks():
        for _ in range(10):
            yield b"x" * 50_000

    publish(hooks, "chunked", max_body_bytes=200_000)
    answer = call(hooks, "POST", "/chunked", content=chunks())
    assert answer.status_code == 413


def test_a_chunked_body_that_fits_is_joined(hooks):
    value = call(hooks, "POST", "/echo", content=iter([b'{"a"', b": ", b"1}"]), headers={"Content-Type": "application/json"}).json()
    assert value["body"] == {"a": 1}


def test_a_caller_that_goes_away_in_the_middle_starts_nothing(hooks):
    workflow = publish(hooks, "gone")
    with socket.create_connection(("127.0.0.1", hooks.port), timeout=10) as connection:
        connection.sendall(b"POST /webhooks/gone HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
    assert call(hooks, "POST", "/gone").status_code == 200
    assert executions(hooks, workflow) == 1


# Who may -----------------------------------------------------------------------------------------------


def test_a_browser_may_ask_before_it_sends(hooks):
    publish(hooks, "pages", allowed_origins=["https://shop.example"], methods=["POST", "PUT"])
    asking = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    answer = call(hooks, "OPTIONS", "/pages", headers=asking)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["access-control-allow-methods"] == "POST, PUT"
    assert answer.headers["access-control-allow-headers"] == "content-type"
    assert call(hooks, "OPTIONS", "/pages", headers={**asking, "Access-Control-Request-Method": "DELETE"}).status_code == 405
    sent = call(hooks, "POST", "/pages", json={}, headers={"Origin": "https://shop.example"})
    assert sent.headers["access-control-allow-origin"] == "https://shop.example"
    assert sent.headers["vary"] == "Origin"


def test_a_page_of_another_origin_starts_nothing(hooks):
    workflow = publish(hooks, "own-pages", allowed_origins=["https://shop.example"])
    answer = call(hooks, "POST", "/own-pages", json={}, headers={"Origin": "https://evil.example"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "origin_not_allowed")
    assert "access-control-allow-origin" not in answer.headers
    asking = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    assert call(hooks, "OPTIONS", "/own-pages", headers=asking).status_code == 403
    assert executions(hooks, workflow) == 0


def test_errors_too_can_be_read_by_the_page(hooks):
    answer = call(hooks, "POST", "/echo", content=b"{", headers={"Origin": "https://a.example", "Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.headers["access-control-allow-origin"] == "*"


def test_addresses_bots_and_too_many_are_refused(hooks):
    publish(hooks, "inside", allowed_networks=["10.0.0.0/8"])
    assert call(hooks, "POST", "/inside").json()["error"]["code"] == "address_not_allowed"
    publish(hooks, "people", ignore_bots=True)
    assert call(hooks, "POST", "/people", headers={"User-Agent": "Slackbot-LinkExpanding 1.0"}).json()["error"]["code"] == "bot_ignored"
    assert call(hooks, "POST", "/people").status_code == 200
    workflow = publish(hooks, "limited", rate_limit="3 per hour")
    answers = [call(hooks, "POST", "/limited") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert int(answers[-1].headers["retry-after"]) > 600
    assert answers[-1].json()["error"]["code"] == "rate_limited"
    assert executions(hooks, workflow) == 3


# Durability --------------------------------------------------------------------------------------------


def test_accepted_is_in_the_journal_before_the_answer(hooks):
    publish(hooks, "receipt", response_mode="at_once")
    answer = call(hooks, "POST", "/receipt", json={"n": 1})
    assert answer.status_code == 202
    receipt = answer.json()
    assert receipt["status"] == "accepted"
    assert answer.headers["x-nbflow-execution"] == receipt["execution_id"]
    journals = b"".join(path.read_bytes() for path in (hooks.project / ".nbflow" / "journal").glob("*.ndjson"))
    accepted = [json.loads(line) for line in journals.splitlines() if receipt["execution_id"].encode() in line and b'"accepted"' in line]
    rows = hooks.state.store.query("select trigger, source from workflow_executions where execution_id = ?::UUID", [receipt["execution_id"]]).rows
    assert accepted or rows
    assert rows == [("webhook", "POST /receipt")]
