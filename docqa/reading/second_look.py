"""A second opinion on names: Tesseract on the cells that the network has read.

Both readers err, but seldom alike. A text near the claim is weighed by what the network makes of it
less a charge for every letter in which it differs from Tesseract's reading, so that a slip of one
reader neither refuses a true name nor confirms a wrong one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from docqa.documents import FieldSpec
from docqa.page import Pixels
from docqa.ports import OcrEngine
from docqa.reading.lines import Pass, Row, picture_of
from docqa.reading.printed import PrintedText
from docqa.reading.regions import Sheet
from docqa.text import canonical, loose

LOOKS = (
    Pass("sauvola", 30, "ara", "line"),
    Pass("sauvola", 24, "script/Arabic", "line"),
    Pass("otsu", 44, "ara", "line"),
    Pass("otsu", 24, "ara", "line"),
    Pass("sauvola", 30, "ara", "raw_line"),
)
"""Two models, two ways to tell ink from paper, four sizes: looks that share less err less alike. Of
800 names the first, fourth and fifth confirm 747, and two wrong ones of 910 that the network finds
likely; all five confirm 769 and no wrong one. The last is shown every line twice, side by side:
the engine answers nothing to some short words as a line, and noise as a raw line, but reads the
pair."""
NATS_PER_LETTER = 2.0
"""Charged for a letter in which a reading differs from a text. Of 597 drawn names 1 to 4 confirm
nearly as many; more than 2 lets the engine's slips outweigh the network."""
MOST_LETTERS = 2
"""A reading that differs in more was not of this text: how much more says nothing."""
LEAST_SHARE = 0.9
"""Of a text among all that were weighed, to count as read once every look is done. And the engine
must have read just this in one look at least: on the network's word alone two of 1,531 wrong names
passed."""
LEAST_SHARE_IN_DOUBT = 0.99
"""Before the last look, and where the engine has read another of the texts: looks may repeat each
other's slips. Of 5,700 wrong names one passed at 0.9 (two dots for one, with a share of .989); of
640 true ones this confirms 8 fewer."""
MOST_AGAINST_NATS = 1.0
"""By which the network may find another text likelier than the one that counts as read. The looks
repeat each other's slips, so that the engine alone would outvote it: of 795 true names 9 were then
read as another, with this bound 6, and 764 instead of 769 confirmed."""
LEAST_OVER_LONGER_NATS = 2.0
"""By which the network must find a text likelier than it with one letter more: narrow letters and
stacked pairs are what both readers leave out (كيل for كحيل). Of the same 795 names 3 are then read
as another and 763 confirmed."""
MOST_WORDS = 5
"""Of a name; more words of a line are not tried together."""
_MARKS = re.compile(r"[^\w\s-]")
"""The colon after a label is read as many of them."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value as the network has it, and the line it stands in."""

    printed: PrintedText
    row: Row
    """With the label where that is on the same line: Tesseract often answers nothing to a short
    word alone."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What both readers together make of a value. Personal data."""

    text: str
    share: float
    """0 to 1, among the texts that were weighed."""


def look_again(
    sheet: Sheet, candidates: Mapping[FieldSpec, Candidate], ocr: OcrEngine
) -> dict[FieldSpec, Agreed]:
    """What the values are; those of which no text reaches LEAST_SHARE are left out.

    Args:
        sheet: the document.
        candidates: the values to look at, by field.
        ocr: the engine; one call a look. Raises EngineFault and MissingDependency.
    """
    found: dict[FieldSpec, Agreed] = {}
    pending = {spec: _Weighing(candidate.printed) for spec, candidate in candidates.items()}
    for left, how in zip(range(len(LOOKS) - 1, -1, -1), LOOKS, strict=True):
        pictures = [_picture(sheet, candidates[spec].row, how) for spec in pending]
        answers = ocr.read_lines(pictures, language=how.language, layout=how.layout)
        for (spec, weighing), answer in zip(list(pending.items()), answers, strict=True):
            agreed = weighing.after(answer, is_last=not left)
            if agreed is not None:
                found[spec] = agreed
                del pending[spec]
            elif not weighing.may_settle(left):
                del pending[spec]
        if not pending:
            break
    return found


def _picture(sheet: Sheet, row: Row, how: Pass) -> Pixels:
    picture = picture_of(sheet.pixels, row, how)
    return np.hstack([picture, picture]) if how.layout == "raw_line" else picture


class _Weighing:
    """The texts that a value may be, and how much speaks for each so far."""

    def __init__(self, printed: PrintedText) -> None:
        weighed = sorted(printed.log_likelihoods.items(), key=itemgetter(1))
        self._texts = [text for text, _ in weighed]
        self._scores = np.array([score for _, score in weighed])
        self._others = printed.others_log_likelihood
        self._forms = [loose(text) for text in self._texts]
        self._were_read = np.zeros(len(self._texts), bool)
        self._likely = _likely(dict(zip(self._forms, self._scores.tolist(), strict=True)))

    def after(self, answer: str, *, is_last: bool) -> Agreed | None:
        """The best text once the engine has answered this as well, its variants counted to it.

        None while that is in doubt. A reading that differs is doubt, however sure the network is.
        """
        read = _spans(answer)
        letters = _letters(self._forms, read)
        self._were_read |= letters == 0
        if read:
            self._scores -= NATS_PER_LETTER * letters
            # What is none of these texts differs in a letter from an answer that is one of them.
            self._others -= NATS_PER_LETTER * float(letters.min() == 0)
        best = int(self._scores.argmax())
        if self._forms[best] not in self._likely:
            return None
        is_variant = np.array([form == self._forms[best] for form in self._forms])
        total = np.logaddexp(_summed(self._scores), self._others)
        share = float(np.exp(_summed(self._scores[is_variant]) - total))
        a_rival_was_read = bool(self._were_read[~is_variant].any())
        is_in_doubt = a_rival_was_read or not is_last
        least = LEAST_SHARE_IN_DOUBT if is_in_doubt else LEAST_SHARE
        is_read = letters[best] == 0 or (is_last and self._were_read[best])
        return Agreed(self._texts[best], share) if is_read and share >= least else None

    def may_settle(self, looks: int) -> bool:
        """Whether so many looks more could bring any text to LEAST_SHARE, whatever is read."""
        forms, numbers = np.unique(self._forms, return_inverse=True)
        sums = np.full(len(forms), -np.inf)
        np.logaddexp.at(sums, numbers, self._scores)
        can_be_read = np.isin(forms, list(self._likely))
        best = int(np.where(can_be_read, sums, -np.inf).argmax())
        rivals = _summed(np.delete(sums, best)) if len(sums) > 1 else -np.inf
        least = np.logaddexp(
            rivals - NATS_PER_LETTER * MOST_LETTERS * looks, self._others - NATS_PER_LETTER * looks
        )
        return bool(sums[best] - np.logaddexp(sums[best], least) >= np.log(LEAST_SHARE))


def _likely(weights: Mapping[str, float]) -> set[str]:
    """The forms that may count as read, by what the network alone makes of them."""
    highest = max(weights.values())
    likely = {form for form, weight in weights.items() if weight >= highest - MOST_AGAINST_NATS}
    least = highest - MOST_AGAINST_NATS - LEAST_OVER_LONGER_NATS
    near = {form: weight for form, weight in weights.items() if weight > least}
    return likely - {
        shorter
        for form, weight in near.items()
        for shorter in {form[:at] + form[at + 1 :] for at in range(len(form))}
        if near.get(shorter, -math.inf) < weight + LEAST_OVER_LONGER_NATS
    }


def _spans(answer: str) -> set[str]:
    """Every run of whole words: where the label ends and the value begins is not known."""
    words = _MARKS.sub(" ", canonical(answer)).split()
    return {
        loose(" ".join(words[first:last]))
        for first in range(len(words))
        for last in range(first + 1, min(first + MOST_WORDS, len(words)) + 1)
    }


def _letters(forms: Sequence[str], read: Collection[str]) -> npt.NDArray[np.int64]:
    """In how many letters each form differs from the likest of what was read."""
    if not read:
        return np.full(len(forms), MOST_LETTERS)
    distances = cdist(
        forms,
        list(read),
        scorer=Levenshtein.distance,
        score_cutoff=MOST_LETTERS - 1,
        dtype=np.int64,
    )
    return np.asarray(distances.min(axis=1))


def _summed(scores: npt.NDArray[np.float64]) -> float:
    return float(np.logaddexp.reduce(scores))
