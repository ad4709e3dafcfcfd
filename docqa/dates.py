"""Dates as Syrian documents write them: in digits, and in words with the Syrian months.

Digits are day-month-year or year-month-day, told apart by where the year stands; day and month
are never exchanged to make a date possible, and two digits are no year. Registry extracts also
write a date out: الأول من شهر كانون الثاني لعام ألف وتسعمائة وخمسة وثمانين ميلادي.
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping

from docqa.text import canonical, loose

# Spellings are folded as `loose` does before they are looked for: hamza forms, ة/ه, ى/ي and
# spaces need not be listed.
_MONTHS = {
    1: ("كانون الثاني", "كانون ثاني", "كانون ثان", "ك2"),
    2: ("شباط",),
    3: ("آذار",),
    4: ("نيسان",),
    5: ("أيار",),
    6: ("حزيران",),
    7: ("تموز",),
    8: ("آب",),
    9: ("أيلول",),
    10: ("تشرين الأول", "تشرين أول", "ت1"),
    11: ("تشرين الثاني", "تشرين ثاني", "تشرين ثان", "ت2"),
    12: ("كانون الأول", "كانون أول", "ك1"),
}
_ORDINALS = {
    1: ("أول", "أولى", "حادي", "حادية"),
    2: ("ثاني", "ثانية", "ثان"),
    3: ("ثالث", "ثالثة"),
    4: ("رابع", "رابعة"),
    5: ("خامس", "خامسة"),
    6: ("سادس", "سادسة"),
    7: ("سابع", "سابعة"),
    8: ("ثامن", "ثامنة"),
    9: ("تاسع", "تاسعة"),
}
_CARDINALS = {
    1: ("واحد", "واحدة", "أحد", "إحدى"),
    2: ("اثنان", "اثنين", "اثنتان", "اثنتين", "اثنا", "اثني", "اثنتي"),
    3: ("ثلاث", "ثلاثة"),
    4: ("أربع", "أربعة"),
    5: ("خمس", "خمسة"),
    6: ("ست", "ستة"),
    7: ("سبع", "سبعة"),
    8: ("ثمان", "ثماني", "ثمانية"),
    9: ("تسع", "تسعة"),
}
_UNITS = {unit: (*_ORDINALS[unit], *_CARDINALS[unit]) for unit in _ORDINALS}
_TENS = {
    10: ("عاشر", "عاشرة", "عشر", "عشرة"),
    20: ("عشرون", "عشرين"),
    30: ("ثلاثون", "ثلاثين"),
    40: ("أربعون", "أربعين"),
    50: ("خمسون", "خمسين"),
    60: ("ستون", "ستين"),
    70: ("سبعون", "سبعين"),
    80: ("ثمانون", "ثمانين"),
    90: ("تسعون", "تسعين"),
}
_HUNDRED = ("مائة", "مئة", "مية")
_TWO_HUNDRED = ("مائتان", "مائتين", "مئتان", "مئتين")
_THOUSANDS = {1000: ("ألف",), 2000: ("ألفان", "ألفين", "ألفا", "ألفي")}

_BEFORE = ("بتاريخ", "تاريخ", "في", "يوم", "اليوم")
_BEFORE_MONTH = ("من", "شهر", "لشهر")
_BEFORE_YEAR = ("من", "عام", "لعام", "العام", "للعام", "سنة", "لسنة", "السنة")
_AFTER = ("ميلادي", "ميلادية", "الميلادي", "الميلادية", "للميلاد", "م")


def parse_date(text: str) -> datetime.date | None:
    """The date that ``text`` is; None when it is none.

    ``D-M-YYYY`` or ``YYYY-M-D`` with '-', '/' or '.' (twice the same), digits of any set; or a day
    in digits or words, a Syrian month, and a year in digits or words. "On" may stand before it and
    "AD" after it.
    """
    folded = _folded(text)
    found = _DAY_FIRST.fullmatch(folded) or _YEAR_FIRST.fullmatch(folded)
    if found is not None:
        return _date(int(found["year"]), int(found["month"]), int(found["day"]))
    found = _WRITTEN_OUT.fullmatch(folded) or _WRITTEN_YEAR_FIRST.fullmatch(folded)
    if found is None:
        return None
    return _date(_year(found), _MONTH_OF[found["month"]], _day(found))


def split_date(text: str) -> tuple[str, str]:
    """What stands before the date at the end of a line, and the date; "" where there is none."""
    words = canonical(text).split()
    for at in range(len(words)):
        if parse_date(rest := " ".join(words[at:])) is not None:
            return " ".join(words[:at]), rest
    return " ".join(words), ""


def _folded(text: str) -> str:
    """Loose text in which '-' still stands, whichever dash it was."""
    return "-".join(loose(part) for part in re.split("[-\u2010-\u2015\u2212]", canonical(text)))


def _date(year: int, month: int, day: int) -> datetime.date | None:
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None


def _year(found: re.Match[str]) -> int:
    if found["year_digits"]:
        return int(found["year_digits"])
    times, hundreds = found.group("times", "hundreds")
    century = _UNIT_OF.get(times or "", 1) * _HUNDREDS_OF.get(hundreds or "", 0)
    return _THOUSAND_OF[found["thousands"]] + century + _below_hundred(found, "year")


def _day(found: re.Match[str]) -> int:
    return int(found["day_digits"]) if found["day_digits"] else _below_hundred(found, "day")


def _below_hundred(found: re.Match[str], prefix: str) -> int:
    unit, tens, only_tens = found.group(f"{prefix}_unit", f"{prefix}_tens", f"{prefix}_only_tens")
    return _UNIT_OF.get(unit or "", 0) + _TENS_OF.get(tens or only_tens or "", 0)


def _values(table: Mapping[int, Iterable[str]]) -> dict[str, int]:
    return {loose(spelling): value for value, spellings in table.items() for spelling in spellings}


def _any(spellings: Iterable[str]) -> str:
    """A pattern of any of the spellings, the longest first."""
    folded = {loose(spelling) for spelling in spellings}
    return "|".join(sorted(map(re.escape, folded), key=len, reverse=True))


def _number_pattern(prefix: str) -> str:
    """1 to 99 in words, ordinal or cardinal; "and" and the article may be missing."""
    units, tens = _any(_UNIT_OF), f"(?:ال)?(?P<{prefix}_{{}}>{_any(_TENS_OF)})"
    return (
        f"(?:(?:ال)?(?P<{prefix}_unit>{units})(?:و?{tens.format('tens')})?"
        f"|{tens.format('only_tens')})"
    )


_MONTH_OF = _values(_MONTHS)
_UNIT_OF = _values(_UNITS)
_TENS_OF = _values(_TENS)
_THOUSAND_OF = _values(_THOUSANDS)
_HUNDREDS_OF = _values({100: _HUNDRED, 200: _TWO_HUNDRED})

_SEPARATED = r"(?P<{0}>[0-9]{{{1}}})(?P<separator>[-/.])(?P<month>[0-9]{{1,2}})(?P=separator)"
_START = f"(?:{_any(_BEFORE)})*"
_END = f"(?:{_any(_AFTER)})?"
_DAY_FIRST = re.compile(_START + _SEPARATED.format("day", "1,2") + "(?P<year>[0-9]{4})" + _END)
_YEAR_FIRST = re.compile(_START + _SEPARATED.format("year", "4") + "(?P<day>[0-9]{1,2})" + _END)
_MONTH = f"[-/.]?(?:{_any(_BEFORE_MONTH)})*(?P<month>{_any(_MONTH_OF)})[-/.]?"
_YEAR_IN_WORDS = (
    f"(?P<thousands>{_any(_THOUSAND_OF)})"
    f"(?:و?(?P<times>{_any(_UNIT_OF)})?(?P<hundreds>{_any(_HUNDREDS_OF)}))?"
    f"(?:و?{_number_pattern('year')})?"
)
_WRITTEN_OUT = re.compile(
    f"{_START}(?:(?P<day_digits>[0-9]{{1,2}})|{_number_pattern('day')}){_MONTH}"
    f"(?:{_any(_BEFORE_YEAR)})*(?:(?P<year_digits>[0-9]{{4}})|{_YEAR_IN_WORDS}){_END}"
)
_WRITTEN_YEAR_FIRST = re.compile(
    f"{_START}(?P<year_digits>[0-9]{{4}}){_MONTH}(?P<day_digits>[0-9]{{1,2}}){_END}"
)
"""Digits around a month's name, as OCR returns them when it takes the line from the left."""


def _slot(*words: str, may_be_empty: bool = True) -> tuple[str, ...]:
    return tuple(dict.fromkeys(["", *words] if may_be_empty else words))


def _with(prefix: str, words: Iterable[str]) -> Iterator[str]:
    """The words as they are, then with the prefix."""
    words = tuple(words)
    yield from words
    yield from (prefix + word for word in words)


_NUMBERS = tuple(map(loose, itertools.chain.from_iterable(_CARDINALS.values())))
SLOTS = (
    _slot(*map(loose, _BEFORE)),
    _slot(*_with("ال", _UNIT_OF), *map(str, range(1, 32))),
    _slot(*_with("و", _with("ال", _TENS_OF))),
    _slot("من"),
    _slot("شهر", "لشهر"),
    _slot(*_MONTH_OF, may_be_empty=False),
    _slot("من"),
    _slot(*(loose(word) for word in _BEFORE_YEAR if word != "من")),
    _slot(*map(loose, ("ألف", "ألفان", "ألفين")), *map(str, range(1900, 2100)), may_be_empty=False),
    _slot("و"),
    _slot(*_NUMBERS),
    _slot(*_HUNDREDS_OF),
    _slot(*_with("و", _NUMBERS)),
    _slot(*_with("و", _TENS_OF)),
    _slot(*map(loose, _AFTER)),
)
"""What may stand where in a date in words, from the day to the year, in loose text without spaces.

Of the choices of a word each, :func:`parse_date` says which are dates. Ordinals and shortened
thousands, which it also knows in a year, are left out for what they look like (ثانية for ثمانية,
ألفي for ألف)."""
