"""Who runs now and who waits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbflow.server.line import Line


def queued(line, key, item, limit=None):
    line.reserve(key, str(key), limit)
    return line.enter(key, item)


def test_so_many_run_and_the_others_wait_in_their_order():
    line = Line(limit=2, waiting_limit=10)
    assert line.try_enter("a", "a", None)
    assert line.try_enter("a", "a", None)
    assert not line.try_enter("b", "b", None)
    assert queued(line, "b", 1) == queued(line, "a", 2) == []
    assert line.counts() == {"a": (2, 1), "b": (0, 1)}
    assert line.leave("a") == [1]
    assert line.leave("a") == [2]
    assert (line.running, line.waiting) == (2, 0)


def test_a_workflows_own_limit_holds_only_its_own():
    line = Line(limit=10, waiting_limit=10)
    assert queued(line, "narrow", 1, limit=1) == [1]
    assert queued(line, "narrow", 2, limit=1) == []
    assert queued(line, "wide", 3) == [3]
    assert line.leave("narrow") == [2]


def test_a_raised_limit_lets_in_who_waited():
    line = Line(limit=10, waiting_limit=10)
    queued(line, "a", 1, limit=1)
    queued(line, "a", 2, limit=1)
    assert queued(line, "a", 3, limit=3) == [2, 3]


def test_nobody_passes_those_who_wait():
    line = Line(limit=1, waiting_limit=10)
    assert queued(line, "a", 1) == [1]
    queued(line, "b", 2)
    assert not line.try_enter("c", "c", None)


def test_a_full_line_says_so_and_who_does_not_come_is_not_counted():
    line = Line(limit=1, waiting_limit=1)
    line.try_enter("a", "a", None)
    line.reserve("a", "a", None)
    assert line.full
    line.unreserve("a")
    assert not line.full


def test_who_withdraws_makes_room_in_its_lane():
    line = Line(limit=1, waiting_limit=10)
    line.try_enter("busy", "busy", None)
    queued(line, "a", 1, limit=1)
    queued(line, "a", 2, limit=1)
    assert line.withdraw("a", 1)
    assert not line.withdraw("a", 1)
    assert not line.withdraw("unknown", 1)
    assert line.leave("busy") == [2]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["come", "leave", "withdraw"])), max_size=60), st.integers(1, 4))
def test_limits_hold_and_nobody_is_forgotten(steps, limit):
    own = {"a": 1, "b": 2, "c": None}
    line, running, waiting = Line(limit=limit, waiting_limit=100), [], []
    for number, (key, step) in enumerate(steps):
        if step == "come":
            waiting.append((key, number))
            started = queued(line, key, (key, number), own[key])
        elif step == "leave" and running:
            started = line.leave(running.pop(0)[0])
        elif step == "withdraw" and waiting:
            assert line.withdraw(waiting[0][0], waiting[0])
            waiting.pop(0)
            continue
        else:
            continue
        for item in started:
            waiting.remove(item)
            running.append(item)
        assert (line.running, line.waiting) == (len(running), len(waiting))
        assert len(running) <= limit
        for one, most in own.items():
            assert most is None or sum(key == one for key, _ in running) <= most
        if waiting and len(running) < limit:  # only a limit of their own keeps them
            assert all(own[key] is not None and sum(one == key for one, _ in running) >= own[key] for key, _ in waiting)
    while running:
        for item in line.leave(running.pop(0)[0]):
            waiting.remove(item)
            running.append(item)
    assert waiting == []
    assert line.counts() == {}


def test_a_place_that_was_never_taken_cannot_be_given_back():
    with pytest.raises(KeyError):
        Line(limit=1, waiting_limit=1).leave("a")
