"""Cycles."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from nbflow.core.order import cycles


def test_each_tangle_is_told_once():
    found = list(cycles({"a": ["b"], "b": ["a", "c"], "c": ["d"], "d": ["c"], "e": ["e"]}))
    assert sorted(found) == [["a", "b", "a"], ["c", "d", "c"], ["e", "e"]]


def test_a_long_chain_is_no_cycle():
    assert list(cycles({str(i): [str(i + 1)] for i in range(100_000)} | {"100000": []})) == []


@given(st.dictionaries(st.integers(0, 8), st.lists(st.integers(0, 8), max_size=4)))
def test_cycles_are_found_exactly_where_they_are(graph):
    followers = {str(node): [str(other) for other in others] for node, others in graph.items()}
    found = list(cycles(followers))
    for way in found:
        assert way[0] == way[-1]
        assert all(after in followers[before] for before, after in pairwise(way))
    remaining = {node: set(others) for node, others in followers.items()}
    while leaves := [node for node, others in remaining.items() if not others & remaining.keys()]:
        for leaf in leaves:
            del remaining[leaf]
    assert bool(found) == bool(remaining)
