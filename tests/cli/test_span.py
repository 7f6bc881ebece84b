"""Lengths of time and sizes as people type them."""

from datetime import UTC, datetime, timedelta

import pytest

from nbflow.cli.failure import UsageError
from nbflow.cli.span import bytes_of, moment, span


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30d", timedelta(days=30)), ("12h", timedelta(hours=12)), ("1.5m", timedelta(seconds=90)), ("2w", timedelta(weeks=2)), ("0s", timedelta())],
)
def test_spans(text, expected):
    assert span(text, "--x") == expected


@pytest.mark.parametrize(("text", "expected"), [("500MB", 500_000_000), ("1.5 GiB", 1_610_612_736), ("10", 10), ("3kb", 3000)])
def test_sizes(text, expected):
    assert bytes_of(text, "--x") == expected


def test_moments():
    assert abs(datetime.now(UTC) - timedelta(hours=2) - moment("2h", "--x")) < timedelta(minutes=1)
    assert moment("2026-03-01T08:00+00:00", "--x") == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert moment("2026-03-01", "--x").tzinfo is not None


@pytest.mark.parametrize("text", ["", "d", "5", "-3d", "3 days", "9999999999999w"])
def test_a_wrong_span_names_the_option(text):
    with pytest.raises(UsageError, match="--older-than"):
        span(text, "--older-than")
