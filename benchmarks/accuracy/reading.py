"""Does docqa find on a document what the citizen typed, and nothing else?"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import cv2
import numpy as np

from benchmarks.accuracy import reading_sheet
from benchmarks.accuracy.figures import Figure, Part, share
from benchmarks.accuracy.inputs import SEED, Options
from benchmarks.accuracy.peers import Peers
from benchmarks.accuracy.reading_answers import (
    Miss,
    RememberingNet,
    RememberingOcr,
    Tally,
    confusion_notes,
    is_confirmed,
)
from benchmarks.accuracy.reading_samples import (
    DATES_AND_PLACES,
    NAMES,
    Sample,
    backs,
    extracts,
    fronts,
    passport_photos,
    passports,
    sheets_of_two,
    unseen_fonts,
)
from benchmarks.accuracy.reading_time import time_ratio
from benchmarks.accuracy.wrong_claims import Claim, benign, wrong, wrong_kinds
from docqa.documents import DocumentType
from docqa.fields import Field
from docqa.measures import PageAssessment, assess
from docqa.pipeline import Engine, inspect
from docqa.reading.mrz import CHECK_DIGITS, read_mrz
from docqa.reading.print_fields import Readers
from docqa.reading.regions import sheets
from docqa.settings import Settings
from docqa.verdict import Decision, decide
from docqa.wiring import load_engine

NUMBER = "national_number"
ASKED = ("sy-id-front", "sy-id-back", "passport", "civil-extract")
"""What documents are handed in as: each as what it is, and as the next of the others in turn."""
TARGETS = {NUMBER: 0.99, "names": 0.97, "dates and places": 0.97}
WRONG_ROUNDS = 5
"""Wrong claims tried of every field on every picture."""
BENIGN_ROUNDS = 2
WORST = 160
SHEET_NAME = "reading-worst.jpg"


@dataclasses.dataclass(slots=True)
class Judged:
    """Counts over wrong claims and over other spellings of true ones."""

    tried: Counter[str] = dataclasses.field(default_factory=Counter)
    confirmed: list[str] = dataclasses.field(default_factory=list)
    spellings: Counter[str] = dataclasses.field(default_factory=Counter)
    refused: list[str] = dataclasses.field(default_factory=list)
    lost: list[str] = dataclasses.field(default_factory=list)


class Bench:
    """The engine, and everything that is counted over the documents."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.engine: Engine = load_engine(Settings())
        if self.engine.ocr is None:
            raise RuntimeError("there is no OCR engine; install Tesseract")
        self.ocr = RememberingOcr(self.engine.ocr)
        readers = self.engine.readers
        if readers is None:
            raise RuntimeError("the engine has no readers of print")
        self._networks = tuple(
            RememberingNet(reader.network) for reader in (readers.arabic, readers.digits)
        )
        arabic, digits = (cast("cv2.dnn.Net", network) for network in self._networks)
        remembered = Readers(
            arabic=dataclasses.replace(readers.arabic, network=arabic),
            digits=dataclasses.replace(readers.digits, network=digits),
        )
        self._reading_only = dataclasses.replace(
            self.engine, ocr=self.ocr, measures={}, readers=remembered
        )
        self.judged = Judged()
        self.recognised: dict[tuple[str, tuple[str, ...], str], str | None] = {}
        """By sample, what is on it, and what it was handed in as: what docqa took it for."""
        self._turns: Counter[tuple[str, ...]] = Counter()
        self.faulty: list[str] = []

    def type_of(self, sample: Sample) -> DocumentType:
        """The sample's document type."""
        return self.engine.document_types[sample.document_type]

    def ask(
        self, sample: Sample, claims: Mapping[str, str], document_type: str | None = None
    ) -> dict[str, Field]:
        """What docqa says to each claim, by claim name, as the whole way of a document gives it."""
        asked = document_type or sample.document_type
        report = inspect(sample.data, engine=self._reading_only, document_type=asked, claims=claims)
        key = (sample.name, _shown(sample), asked)
        self.recognised.setdefault(key, report.recognised)
        self.faulty += [f"{sample.name}: {fault}" for fault in report.faults]
        return {found.name: found for found in report.fields}

    def ask_first(self, sample: Sample, claims: Mapping[str, str]) -> dict[str, Field]:
        """As :meth:`ask`, for a new sample; it is handed in as something else as well."""
        self.ocr.forget()
        for network in self._networks:
            network.forget()
        found = self.ask(sample, claims)
        others = [asked for asked in ASKED if asked != sample.document_type]
        turn = self._turns[_shown(sample)]
        self._turns[_shown(sample)] += 1
        self.ask(sample, sample.owner.claims(), others[turn % len(others)])
        return found

    def claims_of(self, sample: Sample, names: Sequence[str] = ()) -> dict[str, str]:
        """True claims that the type declares and the picture bears out."""
        declared = {spec.name for spec in self.type_of(sample).fields}
        wanted = declared & set(names or sample.printed)
        return {name: v for name, v in sample.owner.claims().items() if name in wanted}

    def read(
        self,
        samples: Iterable[Sample],
        *,
        names: Sequence[str] = (),
        claims_too: bool = True,
    ) -> Tally:
        """True claims of each sample; with ``claims_too`` wrong and respelled ones as well."""
        tally = Tally()
        for sample in samples:
            claims = self.claims_of(sample, names)
            found = self.ask_first(sample, claims)
            for name, value in claims.items():
                tally.add(sample, name, value, found.get(name))
            if claims_too:
                self.judge(sample, claims, {n for n, f in found.items() if is_confirmed(f)})
        return tally

    def judge(self, sample: Sample, claims: dict[str, str], confirmed: set[str]) -> None:
        """Try wrong claims on the sample, and other spellings of those that are confirmed."""
        rng = np.random.default_rng((SEED, *sample.name.encode()))
        tried: set[tuple[str, str]] = set()
        for _ in range(WRONG_ROUNDS):
            made = {}
            for name, value in claims.items():
                kinds = wrong_kinds(name)
                claim = wrong(name, value, kinds[int(rng.integers(len(kinds)))], rng)
                if claim is not None and (name, claim.value) not in tried:
                    tried.add((name, claim.value))
                    made[name] = claim
            self._ask_wrong(sample, made, claims)
        spellings = {name: list(benign(name, claims[name], rng)) for name in sorted(confirmed)}
        for _ in range(BENIGN_ROUNDS):
            chosen = {name: of[int(rng.integers(len(of)))] for name, of in spellings.items() if of}
            self._ask_spelled(sample, chosen, claims)

    def _ask(self, sample: Sample, made: dict[str, Claim]) -> dict[str, str]:
        typed = {name: claim.value for name, claim in made.items()}
        found = self.ask(sample, typed)
        return {name: field.match for name, field in found.items()}

    def _ask_wrong(self, sample: Sample, made: dict[str, Claim], true: dict[str, str]) -> None:
        matches = self._ask(sample, made)
        for name, claim in made.items():
            self.judged.tried[f"{sample.document_type} {claim.kind}"] += 1
            if matches.get(name) in ("equal", "variant"):
                self.judged.confirmed.append(_claim_line(sample, name, claim, true, matches[name]))

    def _ask_spelled(self, sample: Sample, made: dict[str, Claim], true: dict[str, str]) -> None:
        matches = self._ask(sample, made) if made else {}
        for name, claim in made.items():
            self.judged.spellings[claim.kind] += 1
            match = matches.get(name, "unread")
            line = _claim_line(sample, name, claim, true, match)
            if match in ("near", "different"):
                self.judged.refused.append(line)
            elif match == "unread":
                self.judged.lost.append(line)


def measure(options: Options, peers: Peers) -> Part:
    """Everything a citizen can be right or wrong about, by document."""
    bench = Bench(options)
    figures, misses, notes, worst = [], list[Miss](), list[str](), list[str]()
    read = bench.read(fronts(options))
    figures += _of_group("fronts", read)
    figures += [
        _share(f"fronts, {name}", flags)
        for name, flags in [*read.by_field.items(), *read.by_layout.items()]
    ]
    notes += [f"Fronts: {line}" for line in confusion_notes(read)]
    two = bench.read(sheets_of_two(options), claims_too=False)
    figures += [_share(f"A4 sheets, {name}", flags) for name, flags in two.by_layout.items()]
    register = bench.read(extracts(options))
    figures += _of_group("extracts", register)
    notes += [f"Extracts: {line}" for line in confusion_notes(register)]
    fonts = bench.read(unseen_fonts(options), names=(NUMBER, "birth_date"), claims_too=False)
    figures += _of_fonts(fonts)
    by_font = ", ".join(f"{name} {share(of):.2f}" for name, of in fonts.by_layout.items())
    notes.append(f"Digit strings exact by font: {by_font}")
    misses += [*read.misses, *two.misses, *register.misses, *fonts.misses]
    figures += _barcodes(bench, worst)
    figures += _zones(bench, worst)
    figures += _of_claims(bench.judged)
    figures += _of_types(bench, worst, notes)
    figures.append(time_ratio(bench.engine))
    judged = bench.judged
    faults = [f"fault: {line}" for line in dict.fromkeys(bench.faulty)]
    worst = [f"wrong claim confirmed: {line}" for line in judged.confirmed] + faults + worst
    worst += [f"spelling called different: {line}" for line in judged.refused]
    worst += [f"spelling unread: {line}" for line in judged.lost]
    worst += [miss.line() for miss in misses]
    notes.append(f"Wrong claims: {_counts(judged.tried)}")
    notes.append(f"Other spellings: {_counts(judged.spellings)}")
    notes.append("A front has seven fields; all are read in the timed run, from decoded pixels")
    if options.out is not None:
        reading_sheet.write(misses, options.out / SHEET_NAME)
    return Part("reading", tuple(figures), tuple(worst[:WORST]), tuple(notes))


def _of_group(group: str, tally: Tally) -> list[Figure]:
    groups = {NUMBER: (NUMBER,), "names": NAMES, "dates and places": DATES_AND_PLACES}
    return [
        _share(f"{group}: true {name.replace('_', ' ')} confirmed", tally.flags(of), TARGETS[name])
        for name, of in groups.items()
    ]


def _of_fonts(tally: Tally) -> list[Figure]:
    every = tally.flags((NUMBER, "birth_date"))
    bold = [flag for name, of in tally.by_layout.items() if "Bold" in name for flag in of]
    return [
        _share("fonts no fixture uses: digit strings exact", every, 0.99),
        _share("fonts no fixture uses: national number exact", tally.flags((NUMBER,)), 0.99),
        _share("fonts no fixture uses: birth date exact", tally.flags(("birth_date",))),
        _share("fonts no fixture uses, bold: digit strings exact", bold),
    ]


def _barcodes(bench: Bench, worst: list[str]) -> list[Figure]:
    figures = []
    runs: tuple[tuple[str, tuple[int, ...], int, float], ...] = (
        ("PDF417 read at 200 to 600 ppi, to 15°", (200, 300, 200, 600), 0, 0.995),
        ("PDF417 read at 150 ppi, to 15°", (150,), 300, 0.9),
    )
    for name, ppis, first, target in runs:
        flags = []
        for sample in backs(bench.options, ppis=ppis, first=first):
            claims = bench.claims_of(sample)
            found = bench.ask_first(sample, claims)
            exact = all(f.source == "barcode" and f.match == "equal" for f in found.values())
            flags.append(exact and found.keys() == claims.keys())
            if not flags[-1]:
                worst.append(f"{name}: {sample.name}")
            elif sample.name.split("-")[2] == "0":
                bench.judge(sample, claims, set(claims))
        figures.append(_share(name, flags, target))
    return figures


def _zones(bench: Bench, worst: list[str]) -> list[Figure]:
    """Machine-readable zones of scans, and of photographs that no measure of quality rejects."""
    valid: dict[str, list[bool]] = {"scans": [], "photos": []}
    fields: dict[str, list[bool]] = {"scans": [], "photos": []}
    for group, samples in (("scans", passports), ("photos", passport_photos)):
        for sample in samples(bench.options):
            if group == "photos" and not _passes_quality(bench.engine, sample):
                continue
            claims = bench.claims_of(sample)
            found = bench.ask_first(sample, claims)
            valid[group].append(_is_valid(bench, sample))
            fields[group] += [is_confirmed(found.get(name)) for name in claims]
            if not valid[group][-1]:
                worst.append(f"MRZ not fully valid: {sample.name}")
            worst += [
                f"{sample.name} {name} {value!r}: {found[name].match} {found[name].read!r}"
                for name, value in claims.items() if not is_confirmed(found.get(name))
            ]  # fmt: skip
            if group == "scans":
                bench.judge(sample, claims, {n for n, f in found.items() if is_confirmed(f)})
    return [
        _share("MRZ fully valid, scans", valid["scans"], 0.99),
        _share("MRZ fully valid, photos that pass quality", valid["photos"], 0.9),
        _share("passport fields confirmed, scans", fields["scans"]),
        _share("passport fields confirmed, photos that pass quality", fields["photos"]),
    ]


def _is_valid(bench: Bench, sample: Sample) -> bool:
    kind = bench.type_of(sample)
    zones = (
        read_mrz(sheet, bench.ocr) for sheet in sheets(sample.page, (kind.width_mm, kind.height_mm))
    )
    zone = next(filter(None, zones), None)
    return zone is not None and zone.valid_check_digits == CHECK_DIGITS


def _passes_quality(engine: Engine, sample: Sample) -> bool:
    measured = {
        name: assess(take, sample.page)
        for name, take in engine.measures.items()
        if name != "capture"
    }
    page = PageAssessment(1, sample.page.width_px, sample.page.height_px, measured)
    reasons = decide(engine.policy, sample.document_type, (page,)).reasons
    return not any(reason.decision is Decision.REJECT for reason in reasons)


def _of_claims(judged: Judged) -> list[Figure]:
    tried, spelled = sum(judged.tried.values()), sum(judged.spellings.values())
    return [
        Figure("wrong claims confirmed", float(len(judged.confirmed)), "lower", tried, 0.0),
        Figure("other spellings called near or different", float(len(judged.refused)), "lower",
               spelled, 0.0),
        Figure("other spellings unread where the true claim is confirmed",
               float(len(judged.lost)), "lower", spelled),
    ]  # fmt: skip


def _of_types(bench: Bench, worst: list[str], notes: list[str]) -> list[Figure]:
    """The first answer to each way in which a sample was handed in; the rest go to a person.

    Right is the type asked for where that is on the page, else any that is.
    """
    right, mistaken = [], []
    by_pair: dict[str, list[bool]] = {}
    for (name, shown, asked), seen in bench.recognised.items():
        right.append(seen == asked if asked in shown else seen in shown)
        by_pair.setdefault(f"{' + '.join(shown)} as {asked}", []).append(right[-1])
        if seen is not None and not right[-1]:
            mistaken.append(f"{name} ({' + '.join(shown)}, handed in as {asked}) taken for {seen}")
        elif seen is None:
            worst.append(f"{name} ({' + '.join(shown)}, handed in as {asked}) not recognised")
    worst[:0] = mistaken
    told = ", ".join(f"{pair} {sum(of)} of {len(of)}" for pair, of in sorted(by_pair.items()))
    notes.append(f"Recognised: {told}")
    return [
        Figure("side and type recognised", share(right), "higher", len(right), 0.99),
        Figure("taken for another side or type", float(len(mistaken)), "lower", len(right), 0.0),
    ]


def _shown(sample: Sample) -> tuple[str, ...]:
    return (sample.document_type, *sample.beside)


def _share(name: str, flags: Sequence[bool], target: float | None = None) -> Figure:
    return Figure(name, share(flags), "higher", len(flags), target)


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items()))


def _claim_line(sample: Sample, name: str, claim: Claim, true: dict[str, str], match: str) -> str:
    return (f"{sample.name} ({sample.layout}) {name} {claim.kind}: {claim.value!r} for "
            f"{true[name]!r}: {match}")  # fmt: skip
