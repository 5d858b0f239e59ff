"""When schedules fire: AWS's own examples of cron and rate expressions."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from remediator.local.expressions import BadExpression, parse


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("expression", "moment", "following"),
    [
        ("cron(2/5 * * * ? *)", "2026-11-23T10:00:00", "2026-11-23T10:02:00"),
        ("cron(2/5 * * * ? *)", "2026-11-23T10:02:00", "2026-11-23T10:07:00"),
        ("cron(2/5 * * * ? *)", "2026-11-23T10:01:59.9", "2026-11-23T10:02:00"),
        ("cron(2/5 * * * ? *)", "2026-12-31T23:58:00", "2027-01-01T00:02:00"),
        ("cron(0 10 * * ? *)", "2026-11-23T10:00:00", "2026-11-24T10:00:00"),
        ("cron(15 12 * * ? *)", "2026-11-23T00:00:00", "2026-11-23T12:15:00"),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-20T18:00:00", "2026-11-23T18:00:00"),
        ("cron(0 8 1 * ? *)", "2026-11-23T00:00:00", "2026-12-01T08:00:00"),
        ("cron(0/15 * * * ? *)", "2026-11-23T10:44:59", "2026-11-23T10:45:00"),
        ("cron(0/30 20-23 ? * MON-FRI *)", "2026-11-23T10:00:00", "2026-11-23T20:00:00"),
        ("cron(0 0 29 FEB ? *)", "2026-11-23T00:00:00", "2028-02-29T00:00:00"),
        ("cron(5,7 * * * ? 2027)", "2026-11-23T00:00:00", "2027-01-01T00:05:00"),
        ("cron(0 0 ? * SUN *)", "2026-11-23T00:00:00", "2026-11-29T00:00:00"),
        ("cron(0 0 1 1 ? 2020)", "2026-11-23T00:00:00", None),
    ],
)
def test_cron_fires_next_at(expression: str, moment: str, following: str | None) -> None:
    assert parse(expression).after(at(moment), created=0) == (at(following) if following else None)


@pytest.mark.parametrize(
    ("expression", "elapsed", "following"),
    [
        ("rate(5 minutes)", 0, 300),
        ("rate(5 minutes)", 299, 300),
        ("rate(1 hour)", 3600, 7200),
        ("rate(2 days)", 1, 172800),
    ],
)
def test_a_rate_counts_from_creation(expression: str, elapsed: int, following: int) -> None:
    created = at("2026-11-23T10:01:07")
    assert parse(expression).after(created + elapsed, created) == created + following


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "at(2026-11-23T10:00:00)",
        "rate(five minutes)",
        "rate(5 weeks)",
        "cron(* * * * *)",
        "cron(* * * * * *)",
        "cron(* * ? * ? *)",
        "cron(60 * * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 0 L * ? *)",
        "cron(0 0 ? * 2#1 *)",
        "cron(0 20-2 * * ? 1900)",
        "cron(0 20-2 * * ? *)",
    ],
)
def test_what_isnt_understood_is_refused(expression: str) -> None:
    with pytest.raises(BadExpression):
        parse(expression)
