from datetime import timedelta

import pytest
from pydantic import ValidationError

from nbflow.catalogue.trigger.schedule import ScheduleConfig
from nbflow.testing import FakeContext, run_node


async def test_the_schedulers_time_goes_on() -> None:
    assert await run_node("trigger.schedule", {"every": 60}, ctx=FakeContext(input={"iso": "x"})) == {"iso": "x"}


async def test_started_by_hand_it_gives_the_present_moment() -> None:
    given = await run_node("trigger.schedule", {"cron": "0 7 * * *"})
    assert given == {
        "timestamp": 1767225600.0,
        "readable": "Thursday, 01 January 2026 00:00:00",
        "iso": "2026-01-01T00:00:00+00:00",
        "timezone": "UTC",
    }


@pytest.mark.parametrize(
    ("given", "stored"), [("0 7 * * 1-5", "0 7 * * 1-5"), ("@daily", "0 0 * * *"), ("@Hourly", "0 * * * *"), ("*/10 0 7 * * *",) * 2]
)
def test_cron_and_its_nicknames(given: str, stored: str) -> None:
    assert ScheduleConfig(cron=given).cron == stored


@pytest.mark.parametrize(
    ("cron", "message"), [("0 25 * * *", "no cron"), ("0 7 * *", "five fields"), ("@reboot", "nickname"), ("0 0 30 2 *", "no cron|never")]
)
def test_a_bad_cron_is_refused(cron: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ScheduleConfig(cron=cron)


def test_intervals_are_seconds_or_durations() -> None:
    assert ScheduleConfig(every="PT15M").every == timedelta(minutes=15)
    assert ScheduleConfig(every=30).every == timedelta(seconds=30)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "either cron or every"),
        ({"cron": "@daily", "every": 5}, "either cron or every"),
        ({"every": 0}, "greater than"),
        ({"every": 5, "jitter": 5}, "shorter"),
        ({"every": 5, "timezone": "Mars/Base"}, "unknown time zone"),
        ({"every": 5, "timezone": "../etc/passwd"}, "unknown time zone"),
        ({"every": 5, "start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00"}, "start is not before end"),
    ],
)
def test_what_cannot_be_is_refused(config: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ScheduleConfig(**config)
