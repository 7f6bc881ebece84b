from __future__ import annotations

import base64
import html
import json
import urllib.parse
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbflow.core.redaction import Redactor

KEY = "sk-proj-Zq7Kx2mV9pL4wT8r"
STRANGE = 'p\u00e4ss/w\u00f6rd "q\'uo\\te" + &x;<y>%\t\U0001f600end'
ENCODERS = {
    "raw": str,
    "json": json.dumps,
    "json, not ascii": lambda text: json.dumps(text, ensure_ascii=False),
    "json in json in json": lambda text: json.dumps(json.dumps(json.dumps(text))),
    "json with escaped slashes": lambda text: json.dumps(text).replace("/", "\\/"),
    "url": lambda text: urllib.parse.quote(text, safe=""),
    "url, lower case": lambda text: urllib.parse.quote(text, safe="").replace("%C3%A4", "%c3%a4").replace("%2F", "%2f"),
    "url, twice": lambda text: urllib.parse.quote(urllib.parse.quote(text, safe=""), safe=""),
    "form": urllib.parse.quote_plus,
    "html": html.escape,
    "html, twice": lambda text: html.escape(html.escape(text)),
    "html, by numbers": lambda text: "".join(char if char.isalnum() and char.isascii() else f"&#x{ord(char):X};" for char in text),
    "repr": repr,
    "ascii": ascii,
    "repr of bytes": lambda text: repr(text.encode()),
    "csv": lambda text: text.replace('"', '""'),
    "sql": lambda text: text.replace("'", "''"),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
}


@pytest.fixture
def redactor():
    made = Redactor()
    made.learn(KEY, name="openai")
    made.learn(STRANGE, name="strange")
    return made


@pytest.mark.parametrize("secret", [KEY, STRANGE], ids=["ordinary", "strange"])
@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_secret_is_found_in_every_encoding(redactor, encoding, secret):
    encoded = ENCODERS[encoding](secret)
    clean = redactor.text(f"<{encoded}>")
    assert "[redacted" in clean
    assert not any(part in clean for part in (secret[:10], secret[-10:], encoded[3:-3]))


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes], ids=["plain", "for URLs", "in lines"])
@pytest.mark.parametrize("before", range(4))
def test_a_secret_inside_base64_is_found_wherever_it_begins(redactor, before, encode):
    encoded = encode(b"x" * (before + 48) + KEY.encode() + b"yz").decode()
    clean = redactor.text(encoded)
    assert "[redacted openai]" in clean
    place = (before + 48) * 8 // 6 + 2
    inside = "".join(encoded.split())[place : place + len(KEY)]
    assert not any(inside[start : start + 8] in "".join(clean.split()) for start in range(len(inside) - 8))


def test_nothing_else_is_changed(redactor):
    text = json.dumps({"text": "sk-proj is not it", "n": 1.5, "u": "\u00e4"})
    assert redactor.text(text) is text
    assert redactor.data(b"\xff\xfe binary") == b"\xff\xfe binary"


@given(st.text(min_size=8, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_whatever_the_secret_is_it_is_not_in_what_is_written_as_json(secret, before, after):
    redactor = Redactor()
    redactor.learn(secret, name="any")
    line = redactor.text(json.dumps({"k": before + secret + after}))
    assert isinstance(json.loads(line)["k"], str)
    assert secret not in json.loads(line)["k"].replace("[redacted any]", "").replace("[redacted]", "")


@pytest.mark.parametrize("secret", ['x","y', '": "x', "12345678", "true, false", '{"a": 1}', "\\\\\\\\\\\\"])
def test_json_stays_json_when_a_secret_looks_like_punctuation(secret):
    redactor = Redactor()
    redactor.learn(secret, name="odd")
    document = {"a": [secret, {"x": "y", "n": 12345678, secret: True}], "b": f"in {secret} the middle"}
    clean = json.loads(redactor.text(json.dumps(document)))
    assert "[redacted odd]" in json.dumps(clean)
    lines = redactor.data(b"\n".join([json.dumps(document).encode()] * 2))
    assert [json.loads(line) for line in lines.split(b"\n")] == [clean, clean]


class Point(NamedTuple):
    x: str
    y: int


def test_structures_are_copied_without_secrets(redactor):
    value = {"a": [KEY, (KEY, 1)], KEY: {"deep": KEY.encode()}, "set": {KEY}, "point": Point(KEY, 2), "none": None, "object": redactor}
    assert redactor.value(value) == {
        "a": ["[redacted openai]", ("[redacted openai]", 1)],
        "[redacted openai]": {"deep": b"[redacted openai]"},
        "set": {"[redacted openai]"},
        "point": Point("[redacted openai]", 2),
        "none": None,
        "object": redactor,
    }
    assert value["a"][0] == KEY


def test_a_number_can_be_a_secret():
    redactor = Redactor()
    redactor.learn("4929123412341234", "1234", name="card")
    assert redactor.value({"n": 4929123412341234, "short": 1234}) == {"n": "[redacted card]", "short": 1234}


def test_a_short_secret_is_found_only_as_a_word_of_its_own():
    redactor = Redactor()
    redactor.learn("1234", name="pin")
    assert redactor.text("pin 1234, order 12345, MTIzNA== and 31323334") == "pin [redacted pin], order 12345, [redacted pin]== and [redacted pin]"


def test_less_than_four_characters_are_not_looked_for():
    redactor = Redactor()
    redactor.learn("abc", "")
    assert not redactor.active
    assert redactor.text("abc") == "abc"


def test_a_cut_leaves_no_part_of_a_secret(redactor):
    assert redactor.cut("x" * 10 + KEY, 20) == "x" * 10 + "[redacted "
    assert KEY[:8] not in redactor.cut("x" * 10 + json.dumps(KEY), 26)
    assert Redactor().cut("abcdef", 3) == "abc"


@pytest.mark.parametrize(
    "text", [f"error: {KEY[:15]}...", f"error: '{KEY[:12]}'", f"error: {KEY[:20]}\u2026", f"\u2026{KEY[-12:]} is wrong", KEY[-14:]]
)
def test_what_somebody_elses_cut_left_at_the_ends_is_found(redactor, text):
    clean = redactor.text(text)
    assert "[redacted openai]" in clean
    assert KEY[2:10] not in clean
    assert KEY[-8:] not in clean


def test_a_long_secret_is_found_whole_and_in_pieces():
    lines = [base64.b64encode(bytes([line]) * 47 + b"q").decode() for line in range(1, 20)]
    pem = "-----BEGIN PRIVATE KEY-----\n" + "\n".join(lines) + "\n-----END PRIVATE KEY-----\n"
    token = base64.urlsafe_b64encode(bytes(range(256)) * 3).decode()
    redactor = Redactor()
    redactor.learn(pem, name="key")
    redactor.learn(token, name="token")
    clean = redactor.text(json.dumps({"private_key": pem, "one": lines[7], "token": token, "half": token[:500]}))
    assert not any(line in clean for line in lines)
    assert token[100:140] not in clean
    assert "-----BEGIN PRIVATE KEY-----" in clean
    assert json.loads(clean)["token"].count("[redacted token]") == 1


def test_the_name_does_not_give_the_secret_away():
    redactor = Redactor()
    redactor.learn("prod-password", name="the prod-password of mine")
    assert redactor.text("it is prod-password") == "it is [redacted]"


def test_a_name_cannot_break_what_it_stands_in():
    redactor = Redactor()
    redactor.learn(KEY, name='a"b\n<c>')
    assert redactor.text(json.dumps([KEY])) == '["[redacted a_b__c_]"]'


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Authorization: Bearer abc.def, x", "Authorization: Bearer [redacted], x"),
        ("{'proxy-authorization': 'Basic YTpi'}", "{'proxy-authorization': 'Basic [redacted]'}"),
        ('{"x-api-key": "abc"}', '{"x-api-key": "[redacted]"}'),
        ("('Cookie', 'a=b; c=d')", "('Cookie', '[redacted]')"),
        ("Set-Cookie: session=abc; HttpOnly", "Set-Cookie: [redacted]"),
        ("GET /v1?api_key=abc&page=2", "GET /v1?api_key=[redacted]&page=2"),
        ("http://h/?a=1&access_token=x.y-z#top", "http://h/?a=1&access_token=[redacted]#top"),
        ("postgres://ada:pass@db/orders", "postgres://ada:[redacted]@db/orders"),
        ("401: authorization, please; a cookie for you", "401: authorization, please; a cookie for you"),
        ("ada@example.org, http://example.org/?page=1", "ada@example.org, http://example.org/?page=1"),
    ],
)
def test_secrets_that_nobody_told_are_known_by_their_place(text, clean):
    assert Redactor().text(text) == clean


def test_values_of_telling_headers_are_taken_out_of_mappings():
    headers = {"Authorization": "Bearer x", "set-cookie": ["a=1", "b=2"], "accept": "*/*", "Cookie": None}
    assert Redactor().value(headers) == {"Authorization": "[redacted]", "set-cookie": ["[redacted]", "[redacted]"], "accept": "*/*", "Cookie": None}


def test_forgetting_makes_it_as_new(redactor):
    assert redactor.active
    redactor.forget_all()
    assert not redactor.active
    assert redactor.text(KEY) == KEY


def test_learning_twice_changes_nothing(redactor):
    before = redactor.text(KEY)
    redactor.learn(KEY, name="another name")
    assert redactor.text(KEY) == before


@pytest.mark.parametrize(
    "text", [KEY, f"Authorization: Bearer {KEY}", "Authorization: Bearer abc", "postgres://a:b@c/d", "Cookie: a=b", "/?token=abc"]
)
def test_taking_out_twice_is_taking_out_once(redactor, text):
    once = redactor.text(text)
    assert redactor.text(once) == once


@pytest.mark.parametrize("header", [{"Authorization": "Bearer {{ params.token }}"}, {"Cookie": "{{ input.cookie }}"}])
def test_an_expression_is_no_secret(header):
    assert Redactor().value(header) == header
    assert Redactor().text(json.dumps(header)) == json.dumps(header)


def test_what_a_user_shows_keeps_what_only_looks_like_a_secret(redactor):
    told = {"next": "https://h/?page_token=abc", "Cookie": "a=b", "key": KEY}
    assert redactor.told(told) == {**told, "key": "[redacted openai]"}


def test_a_definition_keeps_what_may_be_there_by_chance():
    redactor = Redactor()
    redactor.learn("postgres", "1234", KEY, name="pg")
    code = {"kind": "postgres", "port": "1234", "code": 'headers = {"Authorization": f"Bearer {token}"}', "literal": KEY}
    assert redactor.definition(code) == {**code, "literal": "[redacted pg]"}
    assert redactor.value("postgres") == "[redacted pg]"


def test_nobody_learns_a_secret_by_trying_what_is_taken_out(redactor):
    """Whether a guess goes on rightly must not show, or a secret with a known beginning could be guessed character by character."""
    for known in range(8, len(KEY) - 1):
        right, wrong = KEY[: known + 1], KEY[:known] + ("a" if KEY[known] != "a" else "b")
        assert redactor.text(right) == redactor.text(wrong)
        right, wrong = KEY[-known - 1 :], ("a" if KEY[-known - 1] != "a" else "b") + KEY[-known:]
        assert redactor.text(right) == redactor.text(wrong)
