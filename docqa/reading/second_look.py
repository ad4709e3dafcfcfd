"""A second opinion on names: Tesseract on the cells that the network has read.

Both readers err, but seldom alike. A text near the claim is weighed by what the network makes of it
less a charge for every letter in which it differs from Tesseract's reading, so that a slip of one
reader neither refuses a true name nor confirms a wrong one.
"""

from __future__ import annotations

import math
import re
from collections import Counter
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
from docqa.reading.regions import Sheet
from docqa.reading.spans import PrintedText
from docqa.text import canonical, loose

LOOKS = (
    Pass("sauvola", 30, "ara", "line"),
    Pass("sauvola", 24, "script/Arabic", "line"),
    Pass("otsu", 44, "ara", "line"),
    Pass("otsu", 24, "ara", "line"),
    Pass("sauvola", 27, "ara", "line"),
    Pass("sauvola", 30, "ara", "raw_line"),
)
"""Two models, two ways to tell ink from paper, five sizes: looks that share less err less alike. Of
800 names the first, fourth and last confirm 747, and two wrong ones of 910 that the network finds
likely; all but the fifth confirm 769 and no wrong one, the fifth one in a thousand more. The last
is shown every line twice, side by side: the engine answers nothing to some short words as a line,
and noise as a raw line, but reads the pair."""
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
LEAST_OVER_RIVAL_NATS = 2.0
"""Where the network finds another text nearly as likely, or likelier, both readers may err alike:
then all looks are taken, and the engine may not have read that other even once. Of 3,600 names two
were else read as another (ريه for ربه, both by three of five looks and by half of the network),
and one wrong claim of 887 confirmed; one name more goes to a person."""
MOST_OVER_LONGER_NATS = 6.0
"""The same for a text with a letter more: both readers left out the first of two stacked letters
(الحمد for المحمد) in three looks of six, at odds of 120 to 1. Of 3,600 names two more go to a
person."""
LEAST_OVER_LONGER_NATS = 2.0
"""By which the network must find a text likelier than it with one letter more: narrow letters and
stacked pairs are what both readers leave out (كيل for كحيل). Of the same 795 names 3 are then read
as another and 763 confirmed."""
LEAST_ALONE_SHARE = 0.97
"""Of a text to the network, among all that were weighed, for its word to count where the engine
reads something like it: stacked letters trip it in every look (الزعي for الزعبي). Of 364 names and
places that it left open it gave this share to 205, each to the printed one; the greatest that it
gave to another is 0.96."""
LEAST_ALONE_NATS = 4.0
"""By which it must find that text likelier than any other as well."""
MOST_UNLIKE_FRACTION = 0.5
"""Letters, of those of the text, in which what the engine read may differ to be alike."""
SAME_SLIPS = 2
"""Looks in which the engine reads the same other letter: then it is no slip. Nor is a letter more,
even once: what the network leaves out when it is sure (خض for خضر) the engine sees."""
MOST_LETTERS_MORE = 2
SAME_RIVALS = 4
"""Looks in which the engine reads the same other text that was weighed."""
MOST_WORDS = 5
"""Of a name; more words of a line are not tried together."""
_MARKS = re.compile(r"[^\w\s-]|_")
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
        self._spelled = printed.spelled
        self._forms = [loose(text) for text in self._texts]
        self._were_read = np.zeros(len(self._texts), bool)
        self._network = _Network.of(self._forms, self._scores, self._others)
        self._likely = self._network.likely()
        self._reads: list[set[str]] = []

    def after(self, answer: str, *, is_last: bool) -> Agreed | None:
        """The best text once the engine has answered this as well, its variants counted to it.

        None while that is in doubt. A reading that differs is doubt, however sure the network is.
        """
        read = _spans(answer)
        self._reads.append(read)
        letters = _letters(self._forms, read)
        self._were_read |= letters == 0
        if read:
            self._scores -= NATS_PER_LETTER * letters
            # What is none of these texts differs in a letter from an answer that is one of them.
            self._others -= NATS_PER_LETTER * float(letters.min() == 0)
        agreed = self._agreed(letters, is_last=is_last)
        if agreed is None and is_last:
            agreed = self._agreed_by_network()
        return agreed

    def _agreed(self, letters: npt.NDArray[np.int64], *, is_last: bool) -> Agreed | None:
        best = int(self._scores.argmax())
        form = self._forms[best]
        if form not in self._likely or self._is_longer_read(form):
            return None
        rivals = self._network.rivals(form)
        if rivals and (not is_last or any(rivals & read for read in self._reads)):
            return None
        is_variant = np.array([other == form for other in self._forms])
        total = np.logaddexp(_summed(self._scores), self._others)
        share = float(np.exp(_summed(self._scores[is_variant]) - total))
        a_rival_was_read = bool(self._were_read[~is_variant].any())
        is_in_doubt = a_rival_was_read or not is_last
        least = LEAST_SHARE_IN_DOUBT if is_in_doubt else LEAST_SHARE
        is_read = letters[best] == 0 or (is_last and self._were_read[best])
        return (
            Agreed(self._spelled(self._texts[best]), share) if is_read and share >= least else None
        )

    def _agreed_by_network(self) -> Agreed | None:
        """What the network finds beyond doubt and the engine only fails to see."""
        sure = self._network.sure()
        if sure is None or not self._is_seen(sure) or self._is_denied(sure):
            return None
        return Agreed(self._spelled(self._text_of(sure)), self._network.share(sure))

    def _is_seen(self, form: str) -> bool:
        """Whether the engine read something like it in one look at least."""
        most = MOST_UNLIKE_FRACTION * len(form)
        return any(
            Levenshtein.distance(form, other, score_cutoff=round(most)) <= most
            for read in self._reads for other in read
        )  # fmt: skip

    def _is_longer_read(self, form: str) -> bool:
        """Whether the engine read it with a letter more as often as just so."""
        times = Counter(other for read in self._reads for other in read)
        longer = (
            times[other] for other in self._network.weights if _leaves_out(form, other, most=1)
        )
        return max(longer, default=0) >= max(times[form], 1)

    def _is_denied(self, form: str) -> bool:
        """Whether the engine read letters more, the same other letter again, or a rival always."""
        differing = [read for read in self._reads if form not in read]
        times = Counter(other for read in differing for other in read)
        return any(
            _leaves_out(form, other, most=MOST_LETTERS_MORE)
            or (times[other] >= SAME_SLIPS and len(other) == len(form)
                and Levenshtein.distance(other, form) == 1)
            or (times[other] >= SAME_RIVALS and other in self._network.weights)
            for other in times
        )  # fmt: skip

    def _text_of(self, form: str) -> str:
        """The likeliest spelling."""
        return next(
            text for text, other in zip(self._texts[::-1], self._forms[::-1], strict=True)
            if other == form
        )  # fmt: skip

    def may_settle(self, looks: int) -> bool:
        """Whether so many looks more could settle on any text, whatever is read."""
        if self._network.sure() is not None:
            return True
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


@dataclass(frozen=True, slots=True)
class _Network:
    """What the network alone makes of a value."""

    weights: Mapping[str, float]
    """Log likelihoods by loose form."""
    others: float
    """Of all further texts together."""

    @classmethod
    def of(cls, forms: Sequence[str], scores: npt.NDArray[np.float64], others: float) -> _Network:
        weights: dict[str, float] = {}
        for form, score in zip(forms, scores.tolist(), strict=True):
            weights[form] = float(np.logaddexp(weights.get(form, -np.inf), score))
        return cls(weights, others)

    def share(self, form: str) -> float:
        """0 to 1."""
        every = [*self.weights.values(), self.others]
        return float(np.exp(self.weights[form] - np.logaddexp.reduce(every)))

    def sure(self) -> str | None:
        """The form that it finds likelier by far than any other."""
        best = max(self.weights, key=self.weights.__getitem__)
        nearest = max((w for form, w in self.weights.items() if form != best), default=-math.inf)
        is_alone = nearest <= self.weights[best] - LEAST_ALONE_NATS
        return best if is_alone and self.share(best) >= LEAST_ALONE_SHARE else None

    def rivals(self, form: str) -> set[str]:
        """The other forms that it finds nearly as likely, and those with one letter more."""
        own = self.weights[form]
        return {
            other for other, weight in self.weights.items()
            if weight > own - LEAST_OVER_RIVAL_NATS
            or (weight > own - MOST_OVER_LONGER_NATS and _leaves_out(form, other, most=1))
        } - {form}  # fmt: skip

    def likely(self) -> set[str]:
        """The forms not much less likely than the best, and likelier than with a letter more."""
        highest = max(*self.weights.values(), self.others)
        least = highest - MOST_AGAINST_NATS - LEAST_OVER_LONGER_NATS
        near = {form: weight for form, weight in self.weights.items() if weight > least}
        return {form for form, weight in near.items() if weight >= highest - MOST_AGAINST_NATS} - {
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


def _leaves_out(form: str, other: str, *, most: int) -> bool:
    """Whether the form is the other without 1 to ``most`` of its letters."""
    left = iter(other)
    return 0 < len(other) - len(form) <= most and all(letter in left for letter in form)


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
