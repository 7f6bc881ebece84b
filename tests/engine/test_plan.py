"""Compiling a flow: what a plan knows before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbflow.authoring.function import node
from nbflow.authoring.loops import foreach
from nbflow.engine.plan import FAST_S, SLOW_S, Pace, pace_of

from .harness import drawn, planned

if TYPE_CHECKING:
    from nbflow.core.node import Inputs


@node(where="inline")
def one():
    return 1


@node(where="inline")
def add(x, y=1, ctx=None):
    return x + y


@node(where="inline")
def inc(x, y=1):
    return x + y


@node(where="inline")
def together(xs: Inputs):
    return xs


def node_of(plan, id_):
    return plan.nodes[plan.index[id_]]


def test_a_plain_function_is_called_directly_and_one_with_needs_is_not():
    def flow():
        value = one()
        inc.options(id="plain")(value, value)
        inc.options(id="literal")(value, y=2)
        inc.options(id="changeable")(value, y=[2])
        inc.options(id="expression")(value, y=f"{value}")
        inc.options(id="by_name")(y=value, x=1)
        inc.options(id="guarded", retry=2)(value)
        add.options(id="lent")(value)
        together.options(id="many")([value])

    plan = planned(drawn(flow))
    assert {made.id for made in plan.nodes if made.direct} == {"one", "plain", "literal"}


def test_everything_is_kept_or_only_what_somebody_asks_for():
    def flow():
        value = inc(one())
        inc.options(id="reads")(inc.options(id="end")(value), y="{{ nodes.one }}")

    assert {made.id for made in planned(drawn(flow)).nodes if made.retained} == {"one", "inc", "end", "reads"}
    plan = planned(drawn(flow, keep_outputs=False))
    assert {made.id for made in plan.nodes if made.retained} == {"one", "reads"}
    assert plan.readers == {plan.index["one"]: 1}


def test_a_loop_takes_what_its_body_needs_from_outside_once():
    def flow():
        value = one()
        return foreach(together([value]), lambda x: inc.options(id="b")(inc.options(id="a")(x, value), value), id="loop")

    plan = planned(drawn(flow))
    loop = node_of(plan, "loop")
    assert [capture.source for capture, _ in loop.captures] == ["one"]
    assert loop.body is not None
    assert [capture.source for capture, _ in loop.body.presets] == ["one", "one"]
    assert [delivery.port for delivery in loop.body.items] == ["item"]


def test_nodes_that_need_nothing_are_roots_and_those_that_nothing_follows_leaves():
    def flow():
        inc(one())
        inc.options(id="other")(x=1, y="{{ nodes.one }}")

    plan = planned(drawn(flow))
    assert [plan.nodes[position].id for position in plan.roots] == ["one"]
    assert [plan.nodes[position].id for position in plan.leaves] == ["inc", "other"]


def test_the_pace_of_a_function_decides_by_a_moving_average():
    pace = Pace()
    pace.measured(FAST_S * 2)
    assert not pace.inline
    for _ in range(10):
        pace.measured(FAST_S / 10)
    assert pace.inline
    pace.measured(SLOW_S * 0.9)
    assert pace.inline  # one slow call does not send it away
    pace.measured(SLOW_S * 100)
    assert not pace.inline


def test_all_nodes_of_a_function_share_its_pace():
    assert pace_of(one.function) is pace_of(one.function)
    assert pace_of(len) is not None
