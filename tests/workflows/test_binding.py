"""From requests to parameters."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from nbflow import flow, node
from nbflow.core.errors import ParameterError
from nbflow.workflows.binding import bind

JSON = {"content-type": "application/json; charset=utf-8"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


class Order(BaseModel):
    number: int


@node
def keep(value) -> object:
    return value


@flow
def orders(*, day: str, least: float = 0.5, count: int | None = None, dry: bool = False, tags: list[str] = (), order: Order | None = None):
    return keep(day)


@flow
def whole(request, day: str = "monday"):
    return keep(request)


def given(**request):
    """Only what the request has, without defaults."""
    found = bind(orders.document, {"method": "POST", "path": "/o", "headers": JSON, "params": {}, "query": {}, "body": None, "files": {}, **request})
    named = {name for place in ("params", "query", "body") for name in request.get(place, {})}
    return {name: value for name, value in found.items() if name in named}


def test_the_path_comes_before_the_query_and_the_query_before_the_body():
    assert given(params={"day": "a"}, query={"day": "b"}, body={"day": "c"}) == {"day": "a"}
    assert given(query={"day": "b"}, body={"day": "c"}) == {"day": "b"}
    assert given(body={"day": "c"}) == {"day": "c"}


def test_defaults_are_filled_in():
    assert bind(orders.document, {"query": {"day": "x"}}) == {"day": "x", "least": 0.5, "count": None, "dry": False, "tags": [], "order": None}


def test_text_of_the_query_is_read_as_the_parameters_type():
    query = {"day": "3", "least": "2.5", "count": "7", "dry": "yes", "tags": ["a", "b"]}
    assert given(query=query) == {"day": "3", "least": 2.5, "count": 7, "dry": True, "tags": ["a", "b"]}


def test_one_value_of_a_list_is_a_list():
    assert given(query={"day": "x", "tags": "a"})["tags"] == ["a"]
    assert given(query={"day": "x", "tags": '["a", "b"]'})["tags"] == ["a", "b"]


def test_fields_of_forms_are_text_and_fields_of_json_are_what_they_are():
    assert given(headers=FORM, body={"day": "x", "count": "7"})["count"] == 7
    with pytest.raises(ParameterError, match="parameter 'count': '7' was given, a whole number or nothing is expected"):
        given(body={"day": "x", "count": "7"})


def test_objects_of_a_json_body_are_checked_inside():
    assert given(body={"day": "x", "order": {"number": 3}})["order"] == {"number": 3}
    with pytest.raises(ParameterError, match=r"parameter 'order'.*number"):
        given(body={"day": "x", "order": {"number": "three"}})


def test_what_is_no_parameter_is_left_out():
    assert "other" not in bind(orders.document, {"query": {"day": "x", "other": "1"}, "body": {"another": 1}})


@pytest.mark.parametrize("body", [None, [1, 2], "text", b"raw", 3])
def test_a_missing_parameter_is_named_with_the_ways_to_give_it(body):
    with pytest.raises(ParameterError, match=r"parameter 'day': it is required .*\?day=") as raised:
        bind(orders.document, {"headers": JSON, "body": body})
    assert raised.value.field == "day"


def test_a_wrong_value_names_the_parameter():
    with pytest.raises(ParameterError, match="parameter 'least': 'much' was given, a number is expected"):
        bind(orders.document, {"query": {"day": "x", "least": "much"}})


def test_a_value_given_twice_where_one_is_wanted_is_refused():
    with pytest.raises(ParameterError, match="parameter 'day': a list was given"):
        bind(orders.document, {"query": {"day": ["a", "b"]}})


def test_files_of_a_form_are_parameters_too():
    @flow
    def upload(document):
        return keep(document)

    assert bind(upload.document, {"headers": {"content-type": "multipart/form-data"}, "body": {}, "files": {"document": b"x"}}) == {"document": b"x"}


def test_a_parameter_called_request_gets_all_of_it():
    request = {"method": "POST", "query": {"request": "not this", "day": "x"}, "body": b"raw"}
    assert bind(whole.document, request) == {"request": request, "day": "x"}


def test_a_parameter_called_request_of_another_type_is_one_like_others():
    @flow
    def support(request: str):
        return keep(request)

    assert bind(support.document, {"query": {"request": "help"}}) == {"request": "help"}


def test_a_flow_without_parameters_takes_none():
    @flow
    def bare():
        return keep(1)

    assert bind(bare.document, {"query": {"a": "1"}}) == {}
