"""What OCR made of the zone's lines, set into their 44 characters and proven by check digits.

Layout and check digits follow ICAO Doc 9303 parts 3 and 4 (TD3). Look-alikes are exchanged where
the position allows one kind of character, or where one smallest set of exchanges, and no other,
makes the check digit hold. Names have no check digit: they are never mended.
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

LINE_LENGTH = 44
CHECK_DIGITS = 5
MOST_EXCHANGES = 2
"""More would make one of ten wrong readings hold."""
MOST_DOUBLED = 3
"""Characters that one line may hold twice, once for each of two look-alikes."""
MOST_LOST_FILLERS = 10
OLDEST_YEARS = 115
"""Nobody older holds a passport: a birth a century earlier is possible only below this age."""

_WEIGHTS = (7, 3, 1)
_CODE = re.compile("[^A-Z0-9]*[1I]?[^A-Z0-9]*([PV])")
"""Of a passport or a visa, after nothing but the edge of the crop, which is read as a stroke."""
_DIGITS = str.maketrans("OQDUILZSGBTA/", "0000112568747")
_LETTERS = str.maketrans("0125868", "OIZSBGB")
_STROKES = str.maketrans("/", "7")
"""Of a reading that lacks a character."""
_EDGE = "1I"
_ALIKE = ("0OQDU", "1ILJ", "2Z", "5S", "6G", "8B", "7T", "4A")
_TWINS = {one: group.replace(one, "") for group in _ALIKE for one in group}
_NUMBER_OF = {letter: group[0] for group in _ALIKE for letter in group[1:]}
_DATES_END = 28
"""Number and dates stand before it, the check digits of the dates among them."""
_SERIES_LENGTH = 2
"""Characters at the beginning of a number that may be letters where digits are read."""


@dataclass(frozen=True, slots=True)
class SecondLine:
    """What the second line proves. Personal data."""

    number: str
    """ "" unless its check digit holds."""
    is_mended: bool
    """Look-alikes were exchanged in the number, or for its check digit."""
    is_shifted: bool
    """Number and dates do not stand as they were read: characters were left out or set in."""
    birth_dates: tuple[str, ...]
    """ISO dates, the likeliest first: two where either century is possible."""
    valid_check_digits: int
    """0 to 5."""


def check_digit(characters: str) -> str:
    """Check digit of Doc 9303-3, 4.9: weights 7, 3, 1, modulo 10; A is 10, Z is 35, < is 0."""
    values = (0 if character == "<" else int(character, 36) for character in characters)
    return str(sum(value * _WEIGHTS[at % 3] for at, value in enumerate(values)) % 10)


def is_of_visa(texts: Iterable[str]) -> bool:
    """Whether first lines, as read of one zone, are a visa's: as long, they begin with V, not P.

    A line that is read so badly that it begins with neither may be a passport's.
    """
    codes = {found[1] for text in texts if (found := _CODE.match(text.upper()))}
    return codes == {"V"}


def lines_in_cells(text: str, fillers: Sequence[bool]) -> list[str]:
    """The lines of 44 characters that a reading may stand for, of which the fillers are known.

    Empty when it holds too few characters for the other cells, or too many. One too many may be
    one character read as two that look like it: then there is a line for each of the two.

    Args:
        text: read from the line without its fillers.
        fillers: 44 flags, whether the cell is a filler.
    """
    cells = LINE_LENGTH - sum(fillers)
    for reading in (text.upper(), text.upper().translate(_STROKES)):
        characters = re.sub("[^A-Z0-9]", "", reading)
        surplus = len(characters) - cells
        if 0 <= surplus <= MOST_DOUBLED and cells:
            return [
                _filled(shortened, fillers) for shortened in _without_doubles(characters, surplus)
            ]
    return []


def line_in_cells(text: str, fillers: Sequence[bool]) -> str:
    """The line as it is read, none of its characters left out; more than its cells are cut off.

    Args:
        text: read from the line without its fillers.
        fillers: 44 flags, whether the cell is a filler.
    """
    characters = re.sub("[^A-Z0-9]", "", text.upper())
    return _filled(characters.ljust(LINE_LENGTH, "<"), fillers)


def _filled(characters: str, fillers: Sequence[bool]) -> str:
    rest = iter(characters)
    return "".join("<" if filler else next(rest) for filler in fillers)


def lines_as_read(text: str) -> list[str]:
    """The lines a reading may stand for, of which some fillers were lost, gained or misread.

    As it is where it has 44 characters, else for each of its runs of fillers a line in which that
    run is stretched or shortened; last the reading itself, whose beginning may still hold.
    """
    line = line_as_read(text)
    missing = LINE_LENGTH - len(line)
    if not 0 < abs(missing) <= MOST_LOST_FILLERS:
        return [line.ljust(LINE_LENGTH, "<")]
    runs = [run.span() for run in re.finditer("<+", line)]
    stretched = [
        line[:start] + "<" * (end - start + missing) + line[end:]
        for start, end in runs if end - start + missing > 0
    ]  # fmt: skip
    if missing < 0:
        stretched += _without_doubles(line, -missing)
    return [*dict.fromkeys(stretched), line.ljust(LINE_LENGTH, "<")]


def line_as_read(text: str) -> str:
    """Only the zone's own characters: what comes out in lower case or as a sign was a filler."""
    return re.sub("[^A-Z0-9<]", "<", "".join(text.split()))


def _without_doubles(characters: str, surplus: int) -> list[str]:
    """Every text left when ``surplus`` characters beside a look-alike or themselves are dropped.

    So is a stroke before all others, as which the edge of the crop is read.
    """
    if surplus > MOST_DOUBLED:
        return []
    texts = {characters: None}
    for _ in range(surplus):
        texts = {
            text[:at] + text[at + 1 :]: None
            for text in texts for at in range(len(text))
            if _alike(text[at], text[at - 1 : at]) or _alike(text[at], text[at + 1 : at + 2])
            or (at == 0 and text[at] in _EDGE)
        }  # fmt: skip
    return list(texts)


def _alike(one: str, other: str) -> bool:
    return other != "" and (one == other or other in _TWINS.get(one, ""))


def second_line(lines: Iterable[str], as_read: str) -> SecondLine:
    """The line that most check digits prove; "" for what lines proven as well do not agree on.

    Args:
        lines: those a reading may stand for.
        as_read: the reading itself.
    """
    parsed = [_parsed(line, as_read) for line in lines]
    most = max((each.valid_check_digits for each in parsed), default=0)
    best = [each for each in parsed if each.valid_check_digits == most]
    numbers = {each.number for each in best}
    births = {each.birth_dates for each in best}
    return SecondLine(
        number=numbers.pop() if len(numbers) == 1 else "",
        is_mended=any(each.is_mended for each in best),
        is_shifted=all(each.is_shifted for each in best),
        birth_dates=births.pop() if len(births) == 1 else (),
        valid_check_digits=most,
    )


def _parsed(line: str, as_read: str) -> SecondLine:
    number = _proven(line[:9], line[9])
    born = line[13:20].translate(_DIGITS)
    expires = line[21:28].translate(_DIGITS)
    is_empty = not line[28:42].strip("<") and line[42] == "<"
    optional = line[28:43] if is_empty else _proven(line[28:42], line[42])
    number_holds = number[:9].strip("<") != ""
    born_holds = _holds(born[:-1], born[-1])
    composite = number + born + expires + optional
    checks = (
        number_holds,
        born_holds,
        _holds(expires[:-1], expires[-1]),
        optional != "",
        number_holds and optional != "" and _holds(composite, line[43].translate(_DIGITS)),
    )
    return SecondLine(
        number=number[:9].rstrip("<") if number_holds else "",
        is_mended=number != line[:10],
        is_shifted=line[:_DATES_END] != as_read[:_DATES_END],
        birth_dates=_birth_dates(born[:6], expires[:6]) if born_holds else (),
        valid_check_digits=sum(checks),
    )


def _proven(characters: str, digit: str) -> str:
    """The characters and their check digit after the one smallest exchange that makes it hold."""
    digit = digit.translate(_DIGITS)
    for count in range(MOST_EXCHANGES + 1):
        holding = {each for each in _exchanged(characters, count) if _holds(each, digit)}
        if holding:
            return holding.pop() + digit if len(holding) == 1 else ""
    return ""


def _exchanged(characters: str, count: int) -> Iterator[str]:
    """With ``count`` letters read as the digits they look like, or a series' digits as letters.

    Any exchange of any character would nearly always find one that makes the check digit hold.
    """
    choices = {
        at: _NUMBER_OF.get(one) or (_TWINS.get(one, "") if at < _SERIES_LENGTH else "")
        for at, one in enumerate(characters)
    }
    places = [at for at, twins in choices.items() if twins]
    for chosen in itertools.combinations(places, count):
        for twins in itertools.product(*(choices[at] for at in chosen)):
            exchanged = list(characters)
            for at, twin in zip(chosen, twins, strict=True):
                exchanged[at] = twin
            yield "".join(exchanged)


def _holds(characters: str, digit: str) -> bool:
    return re.fullmatch("[A-Z0-9<]+", characters) is not None and digit == check_digit(characters)


def _birth_dates(born: str, expires: str) -> tuple[str, ...]:
    """ISO dates of YYMMDD before expiry, the later century first."""
    if not (born.isdigit() and expires.isdigit()):
        return ()
    expiry = 2000 + int(expires[:2])
    dates = []
    for century in (2000, 1900):
        year = century + int(born[:2])
        if not 0 <= expiry - year <= OLDEST_YEARS:
            continue
        try:
            dates.append(datetime.date(year, int(born[2:4]), int(born[4:])).isoformat())
        except ValueError:
            continue
    return tuple(dates)


def names(lines: Sequence[str]) -> tuple[str, str]:
    """Surname and given names; "" for what is missing, open, or may be cut off at the line's end.

    Args:
        lines: the lines a reading may stand for; what they do not agree on is open.
    """
    found = [_names(line) for line in lines]
    surnames, given = {each[0] for each in found}, {each[1] for each in found}
    return (
        surnames.pop() if len(surnames) == 1 else "",
        given.pop() if len(given) == 1 else "",
    )


def _names(line: str) -> tuple[str, str]:
    field = line.translate(_LETTERS)[5:]
    surname, separator, given_names = field.partition("<<")
    given_names, ends, _ = given_names.partition("<<")
    if not separator:
        return "", ""
    is_complete = bool(ends) or field.endswith("<")
    return surname.replace("<", " ").strip(), given_names.replace("<", " ").strip() * is_complete
