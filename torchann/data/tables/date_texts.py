"""Dates and times of day as people write them, as days since 1970."""

import datetime
import re

from torchann.nets.column import DAY_FIRST, MONTH_FIRST, TIME

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = r"(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2}(?:[.,]\d{1,9})?))?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
_DATE = (
    r"(?P<y>\d{4})(?P<s>[-/.])(?P<m>\d{1,2})(?:(?P=s)(?P<d>\d{1,2}))?",
    r"(?P<y5>\d{4})(?P<m5>\d{2})(?P<d5>\d{2})",
    r"(?P<a>\d{1,2})(?P<t>[-/.])(?P<b>\d{1,2})(?P=t)(?P<y2>\d{4}|\d{2})",
    r"(?P<d3>\d{1,2})[-. ]+(?P<name3>[A-Za-z]{3,9})\.?[-, ]+(?P<y3>\d{4})",
    r"(?P<name4>[A-Za-z]{3,9})\.? +(?P<d4>\d{1,2}),? +(?P<y4>\d{4})",
)
_DAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,? +)?"
PATTERN = re.compile(
    rf"(?i:{_DAY})(?:{'|'.join(_DATE)})(?:(?:T|,?\s+){_CLOCK}\s*(?P<zone>Z|UTC|[+-]\d{{2}}:?(?:\d{{2}})?)?)?"
)
CLOCK = re.compile(_CLOCK)
EPOCH = datetime.datetime(1970, 1, 1)
SECONDS_PER_DAY = 86_400


def days_of(text: str, order: str = "") -> float | None:
    """Return the days since 1970 of a date, or the share of the day of a time; None if it is none.

    Args:
        text: without spaces around it.
        order: ``"dd/mm/yyyy"`` or ``"mm/dd/yyyy"`` where a date may begin with either, ``"hh:mm"`` for times of day;
            years that come first, and months by name, need none, and ``31.1.2026`` begins with its day.

    Example:
        >>> days_of("1970-01-02 12:00"), days_of("02/01/1970", "dd/mm/yyyy"), days_of("1970-02")
        (1.5, 1.0, 31.0)
        >>> days_of("1:30 pm", "hh:mm")
        0.5625
    """
    try:
        if order == TIME:
            return _seconds(found) / SECONDS_PER_DAY if (found := CLOCK.fullmatch(text)) else None
        return _days(found, order) if (found := PATTERN.fullmatch(text)) else None
    except ValueError:  # such as a 13th month
        return None


def _days(found: re.Match[str], order: str) -> float | None:
    part = found.groupdict()
    year, month, day = part["y"] or part["y5"], part["m"] or part["m5"], part["d"] or part["d5"] or "1"
    if part["a"]:
        order = DAY_FIRST if part["t"] == "." else order
        if order not in (DAY_FIRST, MONTH_FIRST):
            return None
        day, month = (part["a"], part["b"]) if order == DAY_FIRST else (part["b"], part["a"])
        year = part["y2"] if len(part["y2"]) == 4 else ("19" if part["y2"] >= "69" else "20") + part["y2"]
    elif not year:
        name = (part["name3"] or part["name4"])[:3].lower()
        year, day = part["y3"] or part["y4"], part["d3"] or part["d4"]
        month = str(MONTHS.index(name) + 1)
    days = (datetime.datetime(int(year), int(month), int(day)) - EPOCH).days
    zone = re.fullmatch(r"([+-])(\d{2}):?(\d{2})?", part["zone"] or "")
    east = 0 if zone is None else int(zone[1] + "1") * (3600 * int(zone[2]) + 60 * int(zone[3] or 0))
    return (SECONDS_PER_DAY * days + (_seconds(found) if part["H"] else 0.0) - east) / SECONDS_PER_DAY


def _seconds(found: re.Match[str]) -> float:
    hour, half = int(found["H"]), (found["half"] or "")[:1].lower()
    if half:
        hour = hour % 12 + 12 * (half == "p") if 1 <= hour <= 12 else 99
    minute, second = int(found["M"]), float((found["S"] or "0").replace(",", "."))
    if hour > 23 or minute > 59 or second >= 60:
        raise ValueError("no time of day")
    return hour * 3600 + minute * 60 + second
