"""A cron expression in a few words, for the expressions that people write most."""

import re
from typing import Final

DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
STEP: Final = re.compile(r"\*/([0-9]+)")
NUMBER: Final = re.compile(r"[0-9]+")
WEEKDAYS: Final = re.compile(r"1-5|mon-fri", re.IGNORECASE)
WEEKENDS: Final = re.compile(r"[06],[06]|sat,sun|sun,sat", re.IGNORECASE)


def in_words(expression: str) -> str | None:
    """Say when it fires; None: there is no short sentence, so the expression itself is clearer."""
    minute, hour, day, month, weekday = expression.split()
    if month != "*":
        return None
    every_day = day == weekday == "*"
    if every_day and hour == "*":
        return hourly(minute)
    if every_day and (step := STEP.fullmatch(hour)) and NUMBER.fullmatch(minute):
        return counted("hour", int(step[1])) + past(minute)
    if not (NUMBER.fullmatch(minute) and NUMBER.fullmatch(hour)):
        return None
    clock = f"{int(hour):02}:{int(minute):02}"
    if every_day:
        return f"daily at {clock}"
    if day == "*":
        days = days_of_week(weekday)
        return days and f"{days} at {clock}"
    if weekday == "*" and NUMBER.fullmatch(day):
        return f"monthly on day {int(day)} at {clock}"
    return None


def hourly(minute: str) -> str | None:
    if minute == "*":
        return "every minute"
    if step := STEP.fullmatch(minute):
        return counted("minute", int(step[1]))
    return "every hour" + past(minute) if NUMBER.fullmatch(minute) else None


def counted(unit: str, step: int) -> str:
    return f"every {unit}" if step == 1 else f"every {step} {unit}s"


def past(minute: str) -> str:
    return "" if int(minute) == 0 else f", {int(minute)} min past"


def days_of_week(field: str) -> str | None:
    if WEEKDAYS.fullmatch(field):
        return "weekdays"
    if WEEKENDS.fullmatch(field):
        return "weekends"
    if NUMBER.fullmatch(field):
        return f"{DAYS[int(field) % 7]}s"
    return next((f"{day}s" for day in DAYS if day[:3].lower() == field.lower()), None)
