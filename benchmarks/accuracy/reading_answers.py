"""docqa's answers on the reading part's captures, and what was read instead of what is printed."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein

from benchmarks.accuracy.reading_samples import Sample
from docqa.fields import Field, parse_date
from docqa.page import Pixels
from docqa.ports import OcrEngine
from docqa.text import canonical

MOST_CONFUSIONS = 12
"""Named in a note."""


class RememberingOcr:
    """The engine's own answers, each line picture read once.

    A wrong claim is judged on the same pictures as the true one; only the judging is repeated.
    """

    def __init__(self, engine: OcrEngine) -> None:
        self.engine = engine
        self._known: dict[tuple[bytes, str, str], str] = {}

    def read_lines(
        self,
        lines: Sequence[Pixels],
        *,
        language: str,
        layout: Literal["line", "raw_line", "block"],
    ) -> list[str]:
        """See :class:`docqa.ports.OcrEngine`."""
        keys = [(_digest(line), language, layout) for line in lines]
        new = {key: line for key, line in zip(keys, lines, strict=True) if key not in self._known}
        texts = self.engine.read_lines(list(new.values()), language=language, layout=layout)
        self._known.update(zip(new, texts, strict=True))
        return [self._known[key] for key in keys]

    def version(self) -> str:
        """See :class:`docqa.ports.OcrEngine`."""
        return self.engine.version()

    def forget(self) -> None:
        """Before the next document."""
        self._known.clear()


class RememberingNet:
    """A network's own answers, each strip seen once; takes the place of a ``cv2.dnn.Net``."""

    def __init__(self, network: cv2.dnn.Net) -> None:
        self._network = network
        self._known: dict[bytes, npt.NDArray[np.float32]] = {}
        self._strip: npt.NDArray[np.float32] = np.empty(0, np.float32)

    def setInput(self, strip: npt.NDArray[np.float32]) -> None:  # noqa: N802
        """See :class:`cv2.dnn.Net`."""
        self._strip = strip

    def forward(self) -> npt.NDArray[np.float32]:
        """See :class:`cv2.dnn.Net`."""
        key = _digest(self._strip)
        if key not in self._known:
            self._network.setInput(self._strip)
            self._known[key] = np.array(self._network.forward())
        return self._known[key]

    def forget(self) -> None:
        """Before the next document."""
        self._known.clear()


def _digest(line: npt.NDArray[np.uint8] | npt.NDArray[np.float32]) -> bytes:
    return hashlib.blake2b(line.tobytes() + repr(line.shape).encode(), digest_size=16).digest()


def is_confirmed(found: Field | None) -> bool:
    """Whether a citizen passes with it."""
    return found is not None and found.match in ("equal", "variant")


@dataclass(frozen=True, slots=True)
class Miss:
    """A true claim that was not confirmed."""

    sample: str
    layout: str
    field: str
    printed: str
    found: Field | None
    crop: Pixels | None
    """(H, W) the value's line as it lies on the page."""

    def line(self) -> str:
        """For the list of worst cases."""
        match = self.found.match if self.found else "unread"
        read = f" {self.found.read!r}" if self.found and self.found.read else ""
        return f"{self.sample} ({self.layout}) {self.field} {self.printed!r}: {match}{read}"


@dataclass(slots=True)
class Tally:
    """Confirmed or not, by field, layout and group; and the misses."""

    by_field: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    by_layout: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    matches: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    misses: list[Miss] = field(default_factory=list)

    def add(self, sample: Sample, name: str, printed: str, found: Field | None) -> None:
        """Count one true claim."""
        confirmed = is_confirmed(found)
        self.by_field[name].append(confirmed)
        self.by_layout[sample.layout].append(confirmed)
        self.matches[name][found.match if found else "unread"] += 1
        if not confirmed:
            crop = _crop(sample, name)
            self.misses.append(Miss(sample.name, sample.layout, name, printed, found, crop))

    def flags(self, names: Sequence[str]) -> list[bool]:
        """Of these fields together."""
        return [flag for name in names for flag in self.by_field.get(name, ())]


def _crop(sample: Sample, name: str) -> Pixels | None:
    """The printed value with some room around it; None where the capture does not know it."""
    place = sample.places.get(name)
    if place is None:
        return None
    (xs, ys), luma = zip(*place, strict=True), sample.page.luma()
    room = (max(ys) - min(ys)) * 0.35
    top, bottom = round(max(min(ys) - room, 0)), round(max(ys) + room)
    left, right = round(max(min(xs) - 2 * room, 0)), round(max(xs) + 4 * room)
    return luma[top:bottom, left:right].copy()


def confusion_notes(tally: Tally) -> list[str]:
    """A line a field: how its true claims ended, and which characters were read for which."""
    notes = []
    for name, matches in tally.matches.items():
        instead: Counter[str] = Counter()
        for miss in tally.misses:
            if miss.field == name and miss.found is not None and miss.found.read:
                instead.update(edits(_as_printed(miss), canonical(miss.found.read)))
        ended = ", ".join(f"{count} {match}" for match, count in matches.most_common())
        named = "; ".join(f"{edit} {count}" for edit, count in instead.most_common(MOST_CONFUSIONS))
        notes.append(f"{name}: {ended}" + (f". Read instead: {named}" if named else ""))
    return notes


def _as_printed(miss: Miss) -> str:
    """The printed text in the form in which it can be compared letter by letter."""
    date = parse_date(miss.printed) if miss.field == "birth_date" else None
    return f"{date.day}-{date.month}-{date.year}" if date else canonical(miss.printed)


def edits(printed: str, read: str) -> list[str]:
    """Each edit from the printed to the read text, as ``ب→ت``, ``ح→∅`` or ``∅→ا``."""
    if 2 * Levenshtein.distance(printed, read) > max(len(printed), 2):
        return ["something else"]
    named = []
    for step in Levenshtein.editops(printed, read):
        gone = "∅" if step.tag == "insert" else printed[step.src_pos]
        came = "∅" if step.tag == "delete" else read[step.dest_pos]
        named.append(f"{gone}→{came}".replace(" ", "␣"))
    return named
