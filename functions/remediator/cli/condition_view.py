"""Show a deployment's condition to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

from remediator.cli.views import moment
from remediator.core.windows import open_at, window_at

if TYPE_CHECKING:
    from rich.console import RenderableType

    from remediator.operator.condition import Condition
    from remediator.service.control import Control

_GATES: Final = {
    "open": ("● open", "bold green"),
    "frozen": ("■ frozen by the operator", "bold yellow"),
    "closed": ("○ closed", "bold red"),
    "foreign": ("▲ the trust policy trusts a principal that isn't ours", "bold red"),
}
_SEALED: Final = ", sealed: one external id until `remediator roll-gate`"
_ALARMS: Final = {"OK": "green", "ALARM": "bold red"}


def condition_view(condition: Condition) -> list[RenderableType]:
    """Return what a person sees: the gate first, then what it rests on."""
    return [_head(condition), _windows(condition), _alarms(condition), *_advice(condition)]


def _head(condition: Condition) -> Table:
    text, style = _GATES[condition.gate]
    rotation = condition.last_rotation
    rows = [
        ("gate", Text(text + (_SEALED if condition.sealed else ""), style=style)),
        ("closes", _closing(condition)),
        ("rotated", Text(f"{moment(rotation[0])} to {moment(rotation[1])[11:19]}" if rotation else "never")),
        ("control", _control(condition.control)),
        ("endpoint", Text(f"{condition.outputs['Endpoint']} says {condition.answers}")),
        ("deployment", Text(f"{condition.outputs['Deployment']} in {condition.words.place}")),
        ("reader", Text(condition.words.reader)),
    ]
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _control(control: Control) -> Text:
    if control.order is None:
        return Text(control.state or "not there yet")
    order = control.order
    why = f": {order.why}" if order.why else ", for no reason given"
    return Text(f"{control.state} since {moment(order.at)} by {order.by}{why}")


def _closing(condition: Condition) -> Text:
    if condition.gate == "frozen":
        return Text("it is closed, until `remediator unfreeze`")
    if condition.closes_at is None:
        return Text("nothing is ready")
    minutes = (condition.closes_at - condition.now) / 60
    return Text(f"by itself {minutes:.0f} minutes from now, if the rotator never runs again")


def _windows(condition: Condition) -> Table:
    table = Table(box=None, header_style="dim")
    opens = condition.opens
    opening = "sealed" if condition.sealed else "STS opens"
    for column in ("window", "from", "staged", *(() if opens is None else (opening,)), ""):
        table.add_column(column)
    for window in open_at(condition.now):
        table.add_row(
            str(window),
            moment(window.not_before)[11:19],
            _tick(there=window.number in condition.staged),
            *(() if opens is None else (_tick(there=window.number in opens),)),
            Text("now", style="bold") if window == window_at(condition.now) else "",
        )
    return table


def _tick(*, there: bool) -> Text:
    return Text("yes", style="green") if there else Text("no", style="red")


def _alarms(condition: Condition) -> Table:
    table = Table(box=None, header_style="dim")
    for column in ("alarm", "state", ""):
        table.add_column(column, overflow="fold")
    for alarm in condition.alarms:
        says = alarm.says if alarm.state == "ALARM" else ""
        table.add_row(alarm.name, Text(alarm.state, style=_ALARMS.get(alarm.state, "dim")), says)
    return table


def _advice(condition: Condition) -> list[Text]:
    said = {
        "closed": f"Rotate now: {condition.words.rotate}",
        "foreign": f"Remove from the write role's trust policy: {', '.join(condition.foreign)}",
        "frozen": "Nothing opens before `remediator unfreeze`.",
    }
    return [Text(said[condition.gate], style="yellow")] if condition.gate in said else []
