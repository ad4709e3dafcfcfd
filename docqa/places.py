"""Places and the ways their names are written, so that اللاذقية and لاذقية are one town.

The names are data, one file per country in ``models/places/``::

    ignored_words = ["مدينة", "محافظة"]

    [rif-dimashq]                  # one place
    name = "ريف دمشق"              # as the ministry writes it
    variants = ["ريف الشام"]       # what else people and documents write

Spellings that :func:`docqa.text.loose` folds, punctuation and the leading article of a name need
not be listed. A place that is not in the table is compared like any other name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from docqa.errors import InvalidModel
from docqa.text import loose, unpunctuated
from docqa.toml_text import tables_of

_ARTICLE = "ال"
_SHORTEST_STEM_LETTERS = 3
_KEYS = {"name", "variants"}


@dataclass(frozen=True, slots=True)
class Places:
    """Every known spelling of every known place."""

    place_of: Mapping[str, str]
    """loose spelling -> id of the place"""
    ignored_words: frozenset[str] = frozenset()
    """Words before a name that say what kind of place it is, loose."""

    def find(self, name: str) -> str | None:
        """The id of the place called ``name``; None when it is not known."""
        return self.place_of.get(loose(self.bare(name)))

    def bare(self, name: str) -> str:
        """The name's words, without those before it that say what kind of place it is."""
        words = unpunctuated(name).split()
        while len(words) > 1 and loose(words[0]) in self.ignored_words:
            words = words[1:]
        return " ".join(words)

    def forms(self, name: str) -> tuple[str, ...]:
        """Every spelling, loose, of the place called ``name``; none where it is not known."""
        place = self.find(name)
        known = () if place is None else self.place_of.items()
        return tuple(form for form, of in known if of == place)


NO_PLACES = Places({})
"""A table without any place: names are compared as they stand."""


def parse_places(texts: Iterable[str]) -> Places:
    """The places that TOML texts list.

    Raises:
        InvalidModel: a text is not valid, or two places share a spelling.
    """
    place_of: dict[str, str] = {}
    ignored: set[str] = set()
    for text in texts:
        tables = tables_of(text, "a list of places")
        ignored.update(map(_form, _spellings(tables.pop("ignored_words", []), "ignored_words")))
        for place, table in tables.items():
            for spelling in _names(place, table):
                for form in {_form(spelling), _without_article(_form(spelling))}:
                    if place_of.setdefault(form, place) != place:
                        raise InvalidModel(
                            f"the places {place_of[form]!r} and {place!r} share the spelling "
                            f"{spelling!r}: take it from one of them"
                        )
    return Places(place_of, frozenset(ignored))


def _names(place: str, table: object) -> list[str]:
    if not isinstance(table, dict) or not {"name"} <= set(table) <= _KEYS:
        raise InvalidModel(f"the place {place!r} needs a name, and may have variants")
    return _spellings([table["name"], *_spellings(table.get("variants", []), place)], place)


def _spellings(values: object, where: str) -> list[str]:
    if not isinstance(values, list) or not all(
        isinstance(value, str) and _form(value) for value in values
    ):
        raise InvalidModel(f"places: {where!r} must be a list of names")
    return values


def _form(spelling: str) -> str:
    return loose(unpunctuated(spelling))


def _without_article(form: str) -> str:
    stem = form.removeprefix(_ARTICLE)
    return stem if len(stem) >= _SHORTEST_STEM_LETTERS else form
