"""Say when a schedule fires: cron and rate expressions of EventBridge Scheduler, in UTC.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNITS: Final = {"minute": 60, "hour": 3600, "day": 86400}
_RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON: Final = re.compile(r"cron\((.+)\)")
_MONTHS: Final = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS: Final = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_YEARS: Final = range(1970, 2200)


class BadExpression(ValueError):  # noqa: N818 - errors are named for what is the case
    """Say that an expression isn't one that is known here."""


class Expression(Protocol):
    """Know the moments at which a schedule fires."""

    def after(self, moment: float, created: float) -> float | None:
        """Return the first moment after `moment`; None if there is none. Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Fire at intervals, counted from the schedule's creation."""

    seconds: int

    def after(self, moment: float, created: float) -> float | None:
        """Return the next multiple of the interval since creation."""
        periods = max(0, int((moment - created) // self.seconds)) + 1
        return created + periods * self.seconds


@dataclass(frozen=True, slots=True)
class Cron:
    """Fire at the minutes that six fields choose."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    years: frozenset[int]

    def after(self, moment: float, created: float) -> float | None:
        """Return the next chosen minute."""
        del created
        at = datetime.fromtimestamp(moment, UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        while at.year in _YEARS:
            if not self._day(at):
                at = at.replace(hour=0, minute=0) + timedelta(days=1)
            elif at.hour not in self.hours:
                at = at.replace(minute=0) + timedelta(hours=1)
            elif at.minute not in self.minutes:
                at += timedelta(minutes=1)
            else:
                return at.timestamp()
        return None

    def _day(self, at: datetime) -> bool:
        weekday = at.isoweekday() % 7 + 1  # Sunday is 1
        return at.year in self.years and at.month in self.months and at.day in self.days and weekday in self.weekdays


def parse(expression: str) -> Expression:
    """Return what an expression says; raises `BadExpression`."""
    if match := _RATE.fullmatch(expression):
        return Rate(int(match[1]) * _UNITS[match[2]])
    if match := _CRON.fullmatch(expression):
        return _cron(match[1])
    raise BadExpression(f"{expression} is neither cron(…) nor rate(…)")


def _cron(text: str) -> Cron:
    fields = text.split()
    if len(fields) != 6 or (fields[2] == "?") == (fields[4] == "?"):  # noqa: PLR2004 - AWS's cron has six fields
        raise BadExpression(f"cron({text}) wants six fields, and ? for either the day of month or of week")
    minute, hour, day, month, weekday, year = fields
    return Cron(
        minutes=_field(minute, range(60)),
        hours=_field(hour, range(24)),
        days=_field(day, range(1, 32)),
        months=_field(month, range(1, 13), _MONTHS),
        weekdays=_field(weekday, range(1, 8), _DAYS),
        years=_field(year, _YEARS),
    )


def _field(text: str, allowed: range, names: dict[str, int] | None = None) -> frozenset[int]:
    chosen = {value for part in text.split(",") for value in _part(part, allowed, names or {})}
    if not chosen or not chosen <= set(allowed):
        raise BadExpression(f"{text} is out of range")
    return frozenset(chosen)


def _part(part: str, allowed: range, names: dict[str, int]) -> Iterator[int]:
    span, _, step = part.partition("/")
    first, dash, last = span.partition("-")
    try:
        start = allowed.start if span in {"*", "?"} else names.get(first) or int(first)
        end = names.get(last) or int(last) if dash else start
        if span in {"*", "?"} or (step and not dash):
            end = allowed.stop - 1
        yield from range(start, end + 1, int(step or 1))
    except ValueError as error:
        raise BadExpression(f"{part} isn't understood: the embedded account knows numbers, names, * ? , - /") from error
