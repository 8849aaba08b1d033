"""When a connection runs, on the wire of the Configuration API: in the old form and the new (CFG §5.3)."""

from __future__ import annotations

from typing import Any

from reconciler.core.model import Json
from reconciler.emulator import schedules
from reconciler.emulator.config import fields
from reconciler.emulator.connections import MANUAL
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import IllegalArgument, Known

TYPES = ("manual", "basic", "cron")
INTERVAL: fields.Shape = fields.leaves("units timeUnit")
DATA: fields.Shape = {
    "basicSchedule": fields.leaves("timeUnit units"),
    "cron": fields.leaves("cronExpression cronTimeZone"),
}


def shown(schedule: Json) -> dict[str, Json]:
    """An interval in both forms, the others only in the new one."""
    if schedule["type"] == "cron":
        cron = {"cronExpression": schedule["expression"], "cronTimeZone": schedule["time_zone"]}
        return {"scheduleType": "cron", "scheduleData": {"cron": cron}}
    if schedule["type"] == "basic":
        interval = {"timeUnit": schedule["time_unit"], "units": schedule["units"]}
        data = {"basicSchedule": dict(interval)}
        return {"schedule": interval, "scheduleType": "basic", "scheduleData": data}
    return {"scheduleType": "manual"}


def created(instance: Instance, sent: fields.Body) -> Json:
    """The old form is not held against the server's limits, the new one is."""
    old, kind = fields.child(sent, "schedule"), fields.word(sent, "scheduleType", TYPES)
    if old is not None and kind is not None:
        raise _invalid("supply either schedule or scheduleType, not both")
    if old is not None:
        return _interval(old)
    if kind is None:
        return MANUAL
    return _written(instance, kind, fields.child(sent, "scheduleData"))


def updated(instance: Instance, sent: fields.Body) -> dict[str, Any]:
    """The change of the row, if any. Whatever contradicts itself is an IllegalArgument, a 500."""
    kind, data = fields.word(sent, "scheduleType", TYPES), fields.child(sent, "scheduleData")
    if fields.child(sent, "schedule") is not None:
        raise IllegalArgument("'schedule' is no longer supported, use 'scheduleType' instead")
    if kind is None and data is not None:
        raise IllegalArgument("'scheduleData' can't be set without 'scheduleType'")
    if kind == "manual" and data is not None:
        raise IllegalArgument("'scheduleData' can't be set when 'scheduleType' is manual")
    if kind not in (None, "manual") and data is None:
        raise IllegalArgument("'scheduleData' must be set when 'scheduleType' is basic or cron")
    return {} if kind is None else {"schedule": _written(instance, kind, data)}


def forgiven(stored: Json, sent: fields.Body) -> dict[str, Json]:
    """A read sent back, as lenient takes it: the old form counts where only it was changed (CFG §12)."""
    old = fields.child(sent, "schedule")
    rest = {name: value for name, value in sent.items() if name != "schedule"}
    if old is None:
        return rest
    before = shown(stored)
    is_changed = old != before.get("schedule")
    if is_changed and sent.get("scheduleData") in (None, before.get("scheduleData")):
        return {**rest, "scheduleType": "basic", "scheduleData": {"basicSchedule": old}}
    return rest


def _written(instance: Instance, kind: str, data: fields.Body | None) -> Json:
    if kind == "manual":
        return MANUAL
    if data is None:
        raise _invalid("schedule type and data must be set together")
    part = fields.child(data, "basicSchedule" if kind == "basic" else "cron")
    if part is None:
        raise _invalid(f"a schedule of type {kind} needs the {kind} part of its data")
    if kind == "basic":
        schedule = _interval(part)
    else:
        expression, zone = fields.text(part, "cronExpression"), fields.text(part, "cronTimeZone")
        schedule = schedules.cron_in_zone(expression, zone)
    schedules.ensure_frequency(instance, schedule)
    return schedule


def _interval(part: fields.Body) -> Json:
    units, unit = fields.number(part, "units"), fields.word(part, "timeUnit", schedules.UNITS)
    if units is None or unit is None:
        raise IllegalArgument("an interval has units and a timeUnit")
    return schedules.basic(units, unit)


def _invalid(text: str) -> Known:
    return Known(
        422, f"The provided configuration does not fulfill the specification. Errors: {text}"
    )
