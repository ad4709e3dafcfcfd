"""What docqa says to people: one message and one advice per code, in Arabic and in English.

The texts are data (``models/reasons/{ar,en}.toml``), one table per code::

    ["geometry.skew"]
    message = "The page is turned by {value}°."
    advice = "Lay it straight against the edge of the glass and scan again."

A third sentence, ``pending``, may stand in for the advice while the document waits for a person:
what a person is going to do is promised there and nowhere else. ``{value}``, ``{limit}``,
``{actual}``, ``{field}`` and ``{name}`` are filled in; nothing of a document's text ever is.

The table ``[evidence]`` says in a sentence what a measure's evidence code means; there the
measure's own outputs are filled in. ``[words]`` translates outputs that are words and names of
measures; a measure that is not there is called by its own name.
"""

from __future__ import annotations

import string
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from docqa.errors import InvalidModel
from docqa.toml_text import tables_of

LANGUAGES = ("ar", "en")
AREAS = (
    "file", "capture", "quality", "geometry", "page", "field", "system", "request", "booking"
)  # fmt: skip
_COMMAS = {"ar": "، ", "en": ", "}
_FACTS = frozenset({"value", "limit", "actual", "field", "name"})


@dataclass(frozen=True, slots=True)
class Text:
    """One code's sentences in one language."""

    message: str
    """What was found."""
    advice: str
    """What to do about it."""
    pending: str
    """What to do while a person is going to look at it; mostly the advice."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every code's sentences, and the names of fields, in every language."""

    texts: Mapping[str, Mapping[str, Text]]
    """language -> code -> Text"""
    field_names: Mapping[str, Mapping[str, str]]
    """language -> claim name -> what people call it"""
    evidence: Mapping[str, Mapping[str, str]]
    """language -> evidence code -> sentence"""
    words: Mapping[str, Mapping[str, str]]
    """language -> value of a text output or name of a measure -> what people call it"""

    @property
    def codes(self) -> frozenset[str]:
        """All codes; the same in every language."""
        return frozenset(self.texts[LANGUAGES[0]])

    def tell(self, code: str, language: str, outputs: Mapping[str, object]) -> str:
        """What a piece of evidence means, with the measure's outputs filled in."""
        words = self.words[language]
        shown = {
            name: f"{value:.0f}" if isinstance(value, float) else words.get(str(value), str(value))
            for name, value in outputs.items()
        }
        return self.evidence[language][code].format_map(defaultdict(lambda: "–", shown))

    def say(self, code: str, language: str, facts: Mapping[str, int | float | str]) -> Text:
        """The sentences for ``code`` with ``facts`` filled in.

        Facts that are missing show as a dash, so that a sentence can always be said.
        """
        text = self.texts[language][code]
        shown = {name: "–" for name in _FACTS}
        for name, fact in facts.items():
            if name == "field":
                shown[name] = self.field_names[language].get(str(fact), str(fact))
            elif name == "name":
                shown[name] = self.words[language].get(str(fact), str(fact))
            elif name == "limit" and isinstance(fact, str):  # what may stand there, one of a list
                shown[name] = _COMMAS[language].join(fact.split(", "))
            else:
                shown[name] = f"{fact:g}" if isinstance(fact, float) else str(fact)
        said = (text.message, text.advice, text.pending)
        return Text(*(sentence.format_map(shown) for sentence in said))


def parse_catalogue(sources: Mapping[str, str]) -> Catalogue:
    """Read the TOML of every language.

    Args:
        sources: language -> TOML text; all of ``LANGUAGES``.

    Raises:
        InvalidModel: a language is missing, a code or its pending is missing in one of them, an
            area is unknown, or a sentence asks for a fact that does not exist.
    """
    texts: dict[str, dict[str, Text]] = {}
    fields: dict[str, dict[str, str]] = {}
    evidence: dict[str, dict[str, str]] = {}
    words: dict[str, dict[str, str]] = {}
    pending: dict[str, set[str]] = {}
    for language in LANGUAGES:
        if language not in sources:
            raise InvalidModel(f"models/reasons/{language}.toml is missing")
        tables = tables_of(sources[language], f"models/reasons/{language}.toml")
        fields[language] = dict(tables.pop("field_names", {}))
        evidence[language] = dict(tables.pop("evidence", {}))
        words[language] = dict(tables.pop("words", {}))
        texts[language] = {code: _text(language, code, table) for code, table in tables.items()}
        pending[language] = {code for code, table in tables.items() if "pending" in table}
    for language in LANGUAGES[1:]:
        named = {
            "code": texts,
            "field name": fields,
            "evidence": evidence,
            "word": words,
            "pending of": pending,
        }
        for kind, sets in named.items():
            lone = set(sets[LANGUAGES[0]]) ^ set(sets[language])  # type: ignore[index]  # all by language
            if lone:
                raise InvalidModel(
                    f"models/reasons: the {kind} {sorted(lone)[0]!r} is not in every language"
                )
    return Catalogue(texts, fields, evidence, words)


def _text(language: str, code: str, table: object) -> Text:
    where = f"models/reasons/{language}.toml: {code!r}"
    if code.split(".")[0] not in AREAS:
        raise InvalidModel(f"{where} must start with one of {', '.join(AREAS)}")
    if not isinstance(table, dict) or set(table) - {"pending"} != {"message", "advice"}:
        raise InvalidModel(f"{where} needs exactly a message and an advice, or a pending as well")
    for sentence in table.values():
        asked = {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}
        if not sentence.strip() or asked - _FACTS:
            raise InvalidModel(f"{where} is empty or asks for {sorted(asked - _FACTS)}")
    said = {"pending": table["advice"], **table}
    return Text(said["message"], said["advice"], said["pending"])
