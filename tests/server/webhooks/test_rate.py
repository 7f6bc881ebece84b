"""Rates, on a clock of the test's own."""

from __future__ import annotations

import random

import pytest

from nbflow.server.errors import ApiError
from nbflow.server.webhooks.rate import Rate


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def allowed(rate, key=""):
    try:
        rate.check(key)
    except ApiError as error:
        return int(error.headers["Retry-After"])
    return 0


@pytest.mark.parametrize("text", ["5/second", "5 per second", "5 / second"])
def test_more_than_the_limit_has_to_wait(text):
    clock = Clock()
    rate = Rate(text, clock=clock)
    assert [allowed(rate) for _ in range(7)] == [0, 0, 0, 0, 0, 2, 2]
    clock.now += 2
    assert allowed(rate) == 0


def test_the_window_slides():
    clock = Clock()
    clock.now = 60_000.0
    rate = Rate("10/minute", clock=clock)
    assert not any(allowed(rate) for _ in range(10))
    clock.now += 60
    assert allowed(rate)
    clock.now += 30
    assert [bool(allowed(rate)) for _ in range(6)] == [False] * 5 + [True]


def test_coming_back_after_the_time_told_works():
    draw = random.Random(7)
    for most in (1, 2, 3, 10):
        clock = Clock()
        rate = Rate(f"{most}/minute", clock=clock)
        for _ in range(200):
            clock.now += draw.random() * 30
            if wait_s := allowed(rate):
                clock.now += wait_s
                assert allowed(rate) == 0


def test_no_window_holds_twice_the_limit():
    draw, clock = random.Random(1), Clock()
    rate = Rate("10/minute", clock=clock)
    passed = []
    for _ in range(3000):
        clock.now += draw.expovariate(1)
        if not allowed(rate):
            passed.append(clock.now)
    assert max(sum(1 for other in passed if at <= other < at + 60) for at in passed) <= 20
    assert len(passed) > 0.8 * 10 * (passed[-1] - passed[0]) / 60


def test_addresses_are_counted_apart_and_forgotten():
    clock = Clock()
    rate = Rate("1/minute", clock=clock)
    assert [allowed(rate, "a"), allowed(rate, "b")] == [0, 0]
    assert allowed(rate, "a")
    clock.now += 180
    assert allowed(rate, "a") == 0
    assert len(rate._now) + len(rate._before) == 1


@pytest.mark.parametrize("text", ["", "fast", "5/week", "0x5/second"])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(ValueError, match="no rate"):
        Rate(text)
