"""Clean scans of the corpus: every measure should let them pass under the default policy."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from benchmarks.accuracy.figures import Figure, Part, share
from benchmarks.accuracy.inputs import CorpusFile, Options, first_page, scanner_files
from benchmarks.accuracy.peers import Peers
from docqa.errors import InvalidDocument
from docqa.measures import NotAssessed, PageAssessment, assess
from docqa.policy import ACCEPT_SCORE
from docqa.settings import Settings
from docqa.verdict import decide
from docqa.wiring import load_engine

DEFECTS = ("blur", "glare", "shadow", "perspective", "skewed", "cut_off", "low_resolution")
TARGET = 0.98
THREADS = 2
WORST = 8
"""Cases listed per measure."""


def is_clean(file: CorpusFile) -> bool:
    """No defect is known, and what made it is certain."""
    row = file.row
    return row["capture_confidence"] == "high" and not any(row[name] is True for name in DEFECTS)


def measure(options: Options, peers: Peers) -> Part:
    """Per measure, the share of first pages with a score of 70 or more."""
    engine = load_engine(Settings())
    scores: dict[str, list[tuple[int, str]]] = defaultdict(list)
    refused: dict[str, list[str]] = defaultdict(list)
    lowest: list[int] = []

    def judge(file: CorpusFile) -> tuple[CorpusFile, PageAssessment] | None:
        try:
            page = first_page(file.path)
            measured = {name: assess(take, page) for name, take in engine.measures.items()}
        except InvalidDocument:
            return None
        return file, PageAssessment(1, page.width_px, page.height_px, measured)

    files = [file for file in scanner_files(options.corpus) if is_clean(file)]
    with ThreadPoolExecutor(THREADS) as threads:
        judged = [item for item in threads.map(judge, files) if item is not None]
    for file, page in judged:
        given = dict(decide(engine.policy, "a4-generic", (page,)).scores[0])
        if file.row["rotated_90_180"]:
            given.pop("orientation", None)  # clean, and truly turned
        lowest.append(min(given.values(), default=0))
        for name, score in given.items():
            scores[name].append((score, file.path.name))
        for name, assessment in page.measures.items():
            if isinstance(assessment, NotAssessed):
                refused[name].append(f"{file.path.name} ({assessment.why})")
    figures, worst = [], []
    for name in engine.measures:
        passed = [score >= ACCEPT_SCORE for score, _ in scores[name]]
        n = len(passed)
        figures.append(Figure(f"{name}: score 70 or more", share(passed), "higher", n, TARGET))
        absent = len(refused[name]) / max(len(judged), 1)
        figures.append(Figure(f"{name}: not assessed", absent, "lower", len(judged)))
        failed = sorted(item for item in scores[name] if item[0] < ACCEPT_SCORE)[:WORST]
        worst += [f"{name} {score}: {file_name}" for score, file_name in failed]
        worst += [f"{name} not assessed: {line}" for line in refused[name][:WORST]]
    every = share([score >= ACCEPT_SCORE for score in lowest])
    figures.append(Figure("every measure: score 70 or more", every, "higher", len(lowest)))
    return Part("clean_scans", tuple(figures) if judged else (), tuple(worst))
