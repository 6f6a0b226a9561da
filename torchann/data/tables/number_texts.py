"""Numbers as people write them: with signs of currencies, units, thousands and either decimal sign."""

import re
from collections import Counter
from collections.abc import Mapping

CURRENCY = (
    r"[A-Z]{0,3}[\u20a0-\u20cf$£¥¢]|USD|EUR|GBP|CHF|JPY|CNY|INR|AUD|CAD|SEK|NOK|DKK|PLN|CZK|BRL|MXN|ZAR|Rs\.?|kr\.?"
)
UNIT = r"(?:[^\W\d_]|[%‰°\u20a0-\u20cf$£¥¢])[^\d\s.,()'+:_;-]{0,9}[23]?"
NUMBER = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[-+\u2212]?)\s*(?P<before>{CURRENCY})?\s*(?P<inner>[-+\u2212]?)"
    rf"(?P<digits>[.,]?\d(?:[\d.,'\u2019\u00a0\u202f ]*\d)?[.,]?)(?P<power>[eE][-+]?\d+)?\s*(?P<after>{UNIT})?\s*\)?"
)
GROUPS = {sign: re.compile(rf"\d{{1,3}}(?:{re.escape(sign)}\d{{2,3}})*{re.escape(sign)}\d{{3}}") for sign in ".,"}
SPACED = re.compile(r"\d{1,3}(?:[ '\u2019\u00a0\u202f]\d{3})+(?![\d ])")
OTHER = {".": ",", ",": "."}
EITHER = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")


def plain_number(text: str) -> float | None:
    """Return the number of a text as computers write it; None for ``1_000`` and for what no float64 can hold.

    Example:
        >>> plain_number("1e3"), plain_number("1,5"), plain_number("888E050011"), plain_number("-inf")
        (1000.0, None, None, -inf)
    """
    try:
        number = float(text)
    except ValueError:
        return None
    too_large = number in (float("inf"), -float("inf")) and text[-1].isdigit()
    return None if too_large or "_" in text else number


def split_number(text: str) -> tuple[str, str, str] | None:
    """Return a number's digits, its power of ten with its sign, and its unit; None if it is none.

    Example:
        >>> split_number("($1,200)"), split_number("50 kg"), split_number("2020-01")
        (('1,200', '-', '$'), ('50', '', 'kg'), None)
    """
    found = NUMBER.fullmatch(text)
    if found is None or (found["open"] is None) == text.endswith(")") or (found["before"] and found["after"]):
        return None
    digits = found["digits"]
    if spaced := SPACED.match(digits):
        digits = re.sub(r"\D", "", spaced[0]) + digits[spaced.end() :]
    negative = {found["sign"], found["inner"]} & {"-", "\u2212"} or found["open"]
    return digits, ("-" if negative else "") + (found["power"] or ""), found["before"] or found["after"] or ""


def decimal_sign(digits: str) -> str | None:
    """Return the decimal sign of digits; ``""`` if there is none, ``"?"`` if both readings are right.

    Returns:
        None if they are no number in either reading.

    Example:
        >>> [decimal_sign(digits) for digits in ("12", "1,5", "1.234,5", "1,234,567", "1,234", "1.2.3")]
        ['', ',', ',', '.', '?', None]
    """
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return ""
    sign, whole = digits[last], digits[:last]
    if OTHER[sign] in whole:
        return sign if GROUPS[OTHER[sign]].fullmatch(whole) else None
    if sign in whole:
        return OTHER[sign] if GROUPS[sign].fullmatch(digits) else None
    return "?" if EITHER.fullmatch(digits) else sign


def number_of(text: str, decimal: str = ".", unit: str = "") -> float | None:
    """Return the number that a person wrote; None if it is none, or is of another unit.

    Args:
        text: without spaces around it.
        decimal: sign of the column, for what could be read both ways.
        unit: of the column; a number may do without it.

    Example:
        >>> number_of("1.005", ","), number_of("(1,234.5)"), number_of("45 %", unit="%"), number_of("45 g", unit="kg")
        (1005.0, -1234.5, 45.0, None)
    """
    if decimal == "." and (number := plain_number(text)) is not None:
        return number
    parts = split_number(text)
    if parts is None or parts[2] not in ("", unit):
        return None if parts else plain_number(text)
    digits, power, _ = parts
    sign = decimal_sign(digits)
    if sign is None:
        return None
    sign = decimal if sign == "?" else sign or "."
    number = plain_number(digits.replace(OTHER[sign], "").replace(sign, ".") + power.lstrip("-"))
    return number if number is None or not power.startswith("-") else -number


def habits(counts: Mapping[str, int]) -> tuple[Counter[str], Counter[str], str]:
    """Return how often each decimal sign, or none, and each unit stands in texts, and one that can be read both ways.

    Args:
        counts: rows of each text.

    Example:
        >>> habits({"1,5 kg": 2, "1,234 kg": 1, "old": 1})
        (Counter({',': 2, '?': 1}), Counter({'kg': 3}), '1,234 kg')
    """
    signs: Counter[str] = Counter()
    units: Counter[str] = Counter()
    either = ""
    for text, count in counts.items():
        if (parts := split_number(text)) is not None and (sign := decimal_sign(parts[0])) is not None:
            signs[sign] += count
            units[parts[2]] += count
            either = either or (text if sign == "?" else "")
    return signs, Counter({unit: count for unit, count in units.items() if unit}), either
