"""`trigger.schedule`."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from nbflow.core.config import NodeConfig
from nbflow.core.node import Context, node_type

MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
"""crontab(5)'s nicknames; @reboot has no meaning here."""


def _cron(value: str) -> str:
    """Five fields as in crontab(5), or six with seconds first. Raises ValueError, also for a time that never comes (30 February)."""
    from cronsim import CronSim, CronSimError

    text = MACROS.get(value.strip().lower(), value.strip())
    if text.startswith("@"):
        msg = f"unknown cron nickname {value!r}; known are {', '.join(MACROS)}"
        raise ValueError(msg)
    try:
        next(CronSim(text, datetime.now(UTC)))
    except CronSimError as error:
        msg = f"{value!r} is no cron expression: {error}; five fields are expected: minute hour day month weekday"
        raise ValueError(msg) from None
    except StopIteration:
        msg = f"the cron expression {value!r} never comes true"
        raise ValueError(msg) from None
    return text


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        msg = f"unknown time zone {value!r}; use an IANA name such as Europe/Vienna"
        raise ValueError(msg) from None
    return value


class ScheduleConfig(NodeConfig):
    """When the flow starts: `cron` or `every`. The scheduler carries it out."""

    cron: Annotated[str, AfterValidator(_cron)] | None = Field(
        default=None, description="Cron expression (minute hour day month weekday) or a nickname such as @daily."
    )
    every: timedelta | None = Field(default=None, gt=timedelta(0), description="Interval between starts, as seconds or ISO 8601 (PT15M).")
    timezone: Annotated[str, AfterValidator(_timezone)] | None = Field(default=None, description="IANA name; None is the flow's time zone.")
    start: datetime | None = Field(default=None, description="Not before this instant; `every` counts from it.")
    end: datetime | None = Field(default=None, description="Not after this instant.")
    misfire: Literal["skip", "coalesce"] = Field(
        default="skip", description="Starts missed while nothing ran: leave them out, or catch up with one for all."
    )
    misfire_grace: timedelta = Field(default=timedelta(seconds=60), ge=timedelta(0), description="A start later than this counts as missed.")
    jitter: timedelta = Field(default=timedelta(0), ge=timedelta(0), description="Each start is delayed by up to this much, at random.")
    max_running: int = Field(default=1, ge=1, description="Executions of this schedule that may run at the same time.")

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if (self.cron is None) == (self.every is None):
            msg = "give either cron or every"
            raise ValueError(msg)
        if self.start and self.end and _aware(self.start) >= _aware(self.end):
            msg = "start is not before end"
            raise ValueError(msg)
        if self.every and self.jitter >= self.every:
            msg = "jitter must be shorter than every"
            raise ValueError(msg)
        return self


def _aware(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


@node_type("trigger.schedule", trigger=True)
async def schedule(config: ScheduleConfig, *, ctx: Context) -> Any:  # noqa: ARG001 - the scheduler reads the config
    """Start the flow by the clock.

    Gives the scheduler's `{"timestamp", "readable", "iso", "timezone"}`; the same of the present moment when the flow is started by hand.
    """
    if ctx.input:
        return ctx.input
    now = ctx.now()
    return {"timestamp": now.timestamp(), "readable": f"{now:%A, %d %B %Y %H:%M:%S}", "iso": now.isoformat(), "timezone": str(now.tzinfo)}
