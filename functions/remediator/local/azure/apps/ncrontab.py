"""Say when a timer fires: NCRONTAB expressions of six fields, or five without the seconds, in UTC.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from remediator.local.azure.apps.settings import BadApp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MONTHS: Final = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS: Final = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_FIELDS: Final = 6
_MOST_YEARS: Final = 5


@dataclass(frozen=True, slots=True)
class Schedule:
    """Fire at the seconds that six fields choose; days of the month and of the week must both fit."""

    text: str
    seconds: tuple[int, ...]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def after(self, moment: float) -> float:
        """Return the first moment after `moment`, in Unix seconds; raises `BadApp` if there is none."""
        at = datetime.fromtimestamp(moment, UTC).replace(microsecond=0) + timedelta(seconds=1)
        last = at.year + _MOST_YEARS
        while at.year <= last:
            if at.month not in self.months or at.day not in self.days or at.isoweekday() % 7 not in self.weekdays:
                at = at.replace(hour=0, minute=0, second=0) + timedelta(days=1)
            elif at.hour not in self.hours:
                at = at.replace(minute=0, second=0) + timedelta(hours=1)
            elif at.minute not in self.minutes or at.second > self.seconds[-1]:
                at = at.replace(second=0) + timedelta(minutes=1)
            else:
                return at.replace(second=next(one for one in self.seconds if one >= at.second)).timestamp()
        raise BadApp(f"the schedule {self.text} never fires")


def schedule(text: str, settings: Mapping[str, str]) -> Schedule:
    """Return what an expression says, `%NAME%` being an app setting; raises `BadApp`."""
    if text.startswith("%") and text.endswith("%"):
        if text[1:-1] not in settings:
            raise BadApp(f"the schedule {text} names an app setting that isn't there")
        text = settings[text[1:-1]]
    fields = text.split()
    if len(fields) == _FIELDS - 1:
        fields = ["0", *fields]
    if len(fields) != _FIELDS:
        raise BadApp(f"the schedule {text} hasn't six fields")
    second, minute, hour, day, month, weekday = fields
    return Schedule(
        text=text,
        seconds=tuple(sorted(_field(second, range(60), {}))),
        minutes=_field(minute, range(60), {}),
        hours=_field(hour, range(24), {}),
        days=_field(day, range(1, 32), {}),
        months=_field(month, range(1, 13), _MONTHS),
        weekdays=_field(weekday, range(7), _DAYS),
    )


def _field(text: str, allowed: range, names: Mapping[str, int]) -> frozenset[int]:
    chosen = frozenset(value for part in text.split(",") for value in _part(part, allowed, names))
    if not chosen or not chosen <= set(allowed):
        raise BadApp(f"{text} is out of range in a schedule")
    return chosen


def _part(part: str, allowed: range, names: Mapping[str, int]) -> Iterator[int]:
    span, _, step = part.partition("/")
    first, dash, last = span.partition("-")
    try:
        start = allowed.start if span == "*" else _value(first, names)
        end = _value(last, names) if dash else start
        if span == "*" or (step and not dash):
            end = allowed.stop - 1
        yield from range(start, end + 1, int(step or 1))
    except ValueError:
        raise BadApp(f"{part} isn't understood in a schedule") from None


def _value(text: str, names: Mapping[str, int]) -> int:
    return names[text[:3].lower()] if text[:3].lower() in names else int(text)
