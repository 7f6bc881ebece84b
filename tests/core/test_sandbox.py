"""Ways out of the sandbox, all closed."""

import collections
import functools
import logging
import os
import pathlib
import types

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbflow.core.errors import ExpressionError
from nbflow.core.expression import expression


class Holder:
    """An object of a user, with dangerous things in plain attributes."""

    def __init__(self) -> None:
        self.module = os
        self.function = os.system
        self.kind = type(self)
        self.partial = functools.partial(os.system, "true")
        self.generator = (x for x in [1])
        self.table = {"f": os.system, "module": os, "kind": Holder}
        self.data = {"x": 1}
        self.fired = []

    def method(self) -> None:
        self.fired.append("method")

    def __call__(self) -> None:
        self.fired.append("call")


def scope():
    return {
        "input": {"text": "abc", "rows": [1, 2], "n": 3},
        "holder": Holder(),
        "df": pd.DataFrame({"a": [1]}),
        "array": np.arange(3),
        "path": pathlib.Path("/tmp/nbflow-must-not-exist"),
        "function": test_a_way_out_is_refused,
        "module": os,
        "kind": Holder,
        "logger": logging.getLogger("x"),
        "error": ValueError("x"),
        "chain": collections.ChainMap({"a": 1}),
    }


WAYS_OUT = [
    "input.__class__",
    "input['__class__']",
    "input.text.__class__.__mro__[1].__subclasses__()",
    "''.__class__",
    "().__class__.__base__",
    "(1).__class__",
    "input.text.format",
    "'{0.__class__}'.format(input)",
    "'{0.__class__}'.format_map(input)",
    "input | attr('__class__')",
    "[input] | map(attribute='__class__') | first",
    "[holder] | map(attribute='function') | first",
    "[df] | map('to_csv')",
    "holder.module",
    "holder.module.system('true')",
    "holder.function('true')",
    "holder.kind",
    "holder.table.f('true')",
    "holder.table['module']",
    "holder.table.kind()",
    "holder.partial()",
    "holder.partial.func",
    "holder.method()",
    "holder()",
    "holder.generator.gi_frame",
    "holder.generator.gi_code",
    "function.__globals__",
    "function('x')",
    "module.system('true')",
    "module.environ",
    "module['environ']",
    "kind()",
    "kind.method",
    "df.to_csv('/tmp/nbflow-must-not-exist')",
    "df.eval('1+1')",
    "df.query('a == 1')",
    "df.pipe(function)",
    "df['to_csv']('/tmp/nbflow-must-not-exist')",
    "df.style.to_html()",
    "df.attrs.update({})",
    "df.a.map(function)",
    "df.plot()",
    "array.tofile('/tmp/nbflow-must-not-exist')",
    "array.dump('/tmp/nbflow-must-not-exist')",
    "array.dtype.type",
    "array.ctypes.data_as",
    "path.write_text('x')",
    "path.unlink()",
    "path.parent.mkdir()",
    "logger.info('x')",
    "logger.root.addHandler(1)",
    "error.with_traceback",
    "error.__traceback__.tb_frame",
    "input.update({})",
    "input.pop('n')",
    "input.rows.append(3)",
    "input.rows.clear()",
    "chain.new_child()",
    "chain.maps",
    "lipsum",
    "cycler",
    "range(3)",
    "namespace(a=1)",
    "dict(a=1)",
    "joiner()",
    "self.__init__",
    "input.text.translate({})",
    "input.n.to_bytes(3, 'big')",
    "input.n.from_bytes",
    "input.fromkeys([1])",
    "input | jmespath('holder.x') | attr('x')",
    "''.join.__self__",
]


@pytest.mark.parametrize("source", WAYS_OUT)
def test_a_way_out_is_refused(source):
    names = scope()
    with pytest.raises(ExpressionError):
        expression(source).evaluate(names)
    assert names["holder"].fired == []
    assert names["input"] == {"text": "abc", "rows": [1, 2], "n": 3}
    assert not names["path"].exists()


TOO_MUCH = [
    "'a' * 10**9",
    "10**9 * 'a'",
    "[1] * 10**9",
    "2 ** 1000000000",
    "(2 ** 9999) ** 9999",
    "'%1000000000d' % 1",
    "'%*d' % (1000000000, 1)",
    "'%.1000000000f' % 1",
    "'%(a(b))1000000000d' % {'a(b)': 1}",
    "'a'.ljust(10**9)",
    "'a'.center(10**9, 'b')",
    "'a'.zfill(10**9)",
    "'a' * 9999999 | replace('a', 'aaaaaaaaaa')",
    "('a' * 9999999).replace('a', 'aaaaaaaaaa')",
    "('a' * 9999).join(['b'] * 9999)",
    "['b'] * 9999 | join('a' * 9999)",
    "1 | round(10**9)",
    "1 | money('EUR', 10**9)",
    "'a' | center(10**9)",
    "'a' | indent(10**9)",
    "[1] | batch(10**9, 'x')",
    "'a'.expandtabs(10**9)",
]


@pytest.mark.parametrize("source", TOO_MUCH)
def test_a_huge_result_is_refused_before_it_is_made(source):
    with pytest.raises(ExpressionError):
        expression(source).evaluate({})


ATTRIBUTES = st.sampled_from(
    [name for kind in (str, dict, list, Holder, pd.DataFrame, np.ndarray, types.FunctionType, type) for name in dir(kind)]
    + ["module", "function", "kind", "table", "partial", "generator", "data", "func_globals", "gi_frame", "f_globals", "text", "rows", "f"]
)
STEPS = st.one_of(
    ATTRIBUTES.map(".{}".format),
    ATTRIBUTES.map("['{}']".format),
    st.sampled_from(["[0]", "[1:]", "()", "('x')", " | first", " | list", " | map(attribute='{}') | first"]),
    ATTRIBUTES.map(" | map(attribute='{}') | first".format),
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["input", "holder", "df", "array", "path", "function", "module", "kind", "''", "[]", "{}", "error"]),
    st.lists(STEPS, min_size=1, max_size=5),
)
@pytest.mark.filterwarnings("ignore")
def test_no_chain_of_names_reaches_code_or_acts(root, steps):
    names = scope()
    source = root
    for step in steps:
        source = f"({source}){step}" if step.startswith(" |") else source + step
    try:
        value = expression(source).evaluate(names)
    except ExpressionError:
        pass
    else:
        given_already = any(value is item for item in (*names.values(), names["holder"].partial, names["holder"].generator))
        assert given_already or not isinstance(value, types.ModuleType | types.FunctionType | types.MethodType | types.BuiltinFunctionType | type)
    assert names["holder"].fired == []
    assert names["input"] == {"text": "abc", "rows": [1, 2], "n": 3}
    assert not names["path"].exists()


def test_methods_of_a_subclass_of_a_mapping_are_not_reachable_past_its_keys():
    class Tricky(dict):
        secret = "hidden"

        def boom(self):
            raise AssertionError

    for source in ("input.secret", "input.boom()", "input['secret']"):
        with pytest.raises(ExpressionError, match="there is no"):
            expression(source).evaluate({"input": Tricky(a=1)})
