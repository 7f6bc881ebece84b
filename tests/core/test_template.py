"""Values with expressions in them."""

import subprocess
import sys

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbflow.core.errors import ExpressionError
from nbflow.core.template import Template, compile_template


def render(value, **scope):
    return compile_template(value).render(scope)


@pytest.mark.parametrize("value", ["plain", 3, None, {"a": [1, "}}"]}, ("x",), {"if": "{% x %}"}])
def test_a_value_without_expressions_has_no_template(value):
    assert compile_template(value) is None


def test_static_values_do_not_import_jinja():
    code = "import sys; from nbflow.core.template import compile_template as c; c({'a': 1}); sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("value", [1, 1.5, None, True, "123", "None", "[1,2]", [1, "x"], {"a": 1}, b"x"])
def test_a_single_expression_keeps_type_and_identity(value):
    assert render("{{ input }}", input=value) is value


def test_a_frame_passes_by_reference():
    frame = pd.DataFrame({"a": [1]})
    assert render({"data": "{{ input.rows }}"}, input={"rows": frame})["data"] is frame


def test_mixed_text_becomes_text():
    assert render("{{ input.n }} of {{ input.n + 1 }}", input={"n": 1}) == "1 of 2"


def test_line_ends_and_a_last_newline_stay():
    assert render("a\r\n{{ input }}\r\nb\n", input="x") == "a\r\nx\r\nb\n"


def test_literal_braces_are_written_as_an_expression():
    assert render("{{ '{{' }} name {{ '}}' }}") == "{{ name }}"


def test_an_expression_may_hold_objects_and_braces_in_texts():
    assert render("{{ {'a': {'b': input}} }}", input=1) == {"a": {"b": 1}}
    assert render("x{{ '}}' }}y{{ \"{\" }}") == "x}}y{"


def test_dashes_drop_white_space_as_in_jinja():
    assert render("a  {{- input -}}  b", input=1) == "a1b"


def test_structure_is_copied_and_kept():
    literal = {"deep": [1, {"x": 2}]}
    value = {"b": literal, "a": ("{{ input }}", [3]), "c": "text"}
    result = render(value, input=7)
    assert result == {"b": literal, "a": (7, [3]), "c": "text"}
    assert list(result) == ["b", "a", "c"]
    result["b"]["deep"][1]["x"] = 9
    assert literal["deep"][1]["x"] == 2


def test_a_template_says_what_it_uses():
    template = compile_template({"a": "{{ input.x + params.y }}", "b": ["{{ nodes.fetch | default(nodes['clean'].z) }}"]})
    assert template.names == {"input", "params", "nodes"}
    assert template.node_refs == {"fetch", "clean"}


@pytest.mark.parametrize(
    "text", ["{{ nodes[input] }}", "{{ nodes }}", "{{ nodes | length }}", "{{ [nodes] }}", "{{ nodes[0] }}", "{{ nodes['a' ~ 'b'] }}"]
)
def test_which_node_is_meant_must_be_written(text):
    with pytest.raises(ExpressionError, match=r"nodes\.fetch or nodes\['fetch'\]"):
        compile_template(text)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"headers": {"x": "{{ a b }}"}}, "headers.x"),
        ({"rows": [1, 2, "{{ a. }}"]}, "rows[2]"),
        ({"q": "{{ a"}, "q"),
        ({"k": {"{{ a }}": 1}}, "k.{{ a }}"),
    ],
)
def test_a_wrong_expression_names_its_field(value, field):
    with pytest.raises(ExpressionError) as caught:
        compile_template(value)
    assert caught.value.field == field
    assert f"field '{field}'" in str(caught.value)


def test_a_failing_expression_names_its_field_and_itself():
    template = compile_template({"body": [{"total": "{{ input.totl }}"}]})
    with pytest.raises(
        ExpressionError, match=r"field 'body\[0\]\.total': \{\{ input\.totl \}\}: there is no 'totl'; did you mean 'total'\?"
    ) as caught:
        template.render({"input": {"total": 3}})
    assert caught.value.expression == "input.totl"


@pytest.mark.parametrize("text", ["{% if x %}{{ x }}{% endif %}", "{{ x }}{# note #}", "{{ x }}{% for i in x %}"])
def test_blocks_and_comments_are_refused_with_another_way(text):
    with pytest.raises(ExpressionError, match="a if condition else b"):
        compile_template(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("{{ }}", "nothing between the braces"),
        ("{{ a", "never closed"),
        ("{{ a b }}", "'b' is not expected here"),
        ("{{ a | lenght }}", "did you mean 'length'"),
        ("{{ a is odds }}", "did you mean 'odd'"),
        ("{{ [x for x in y] }}", "not an expression"),
        ("{{ self }}", "'self' does not exist"),
        ("{{ " + "(" * 3000 + " }}", "nested too deeply"),
        ("{{ " + "a" * 20_000 + " }}", "at most 10,000 characters"),
    ],
)
def test_wrong_expressions_get_advice(text, hint):
    with pytest.raises(ExpressionError, match=hint):
        compile_template(text)


def test_too_complicated_an_expression_is_an_error_and_no_crash():
    with pytest.raises(ExpressionError, match="too complicated"):
        render("{{ 1" + "+1" * 4000 + " }}")


@given(st.text(alphabet="{}%#'\"\\ ab.|[]()-\n", max_size=40))
def test_any_text_compiles_or_is_refused(text):
    try:
        template = compile_template(text)
    except ExpressionError:
        return
    assert (template is None) == ("{{" not in text)
    assert template is None or isinstance(template, Template)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(alphabet="ab{", max_size=3).filter(lambda text: "{{" not in text),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        max_leaves=10,
    )
)
def test_rendering_keeps_all_that_is_no_expression(value):
    assert render({"literal": value, "expression": "{{ input }}"}, input=1) == {"literal": value, "expression": 1}
