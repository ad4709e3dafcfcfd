"""The peers on the same files, in their own environment, beside the same decoding; the Tesseract
command line on the card that docqa reads.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.speed.clock import interleaved, ratio, summary
from benchmarks.speed.inputs import MAKERS, SEED, a4_colour, card
from benchmarks.speed.report import decode
from docqa.pipeline import inspect
from docqa.settings import Settings
from docqa.wiring import load_engine
from fixtures.synthesize.people import person

WORKER = Path(__file__).with_name("peer_timer.py")
FILES = ("A4 colour scan, 300 ppi", "photograph, 12 MP")
TIMEOUT_S = 900
CLAIMS = ("given_name", "family_name", "national_number", "birth_date")


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Ratios of each peer to one colour decoding, and of reading a card to that of an A4 page."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            "quality": _quality(arguments.peers_python, Path(folder)),
            "reading": _reading(Path(folder), rounds=max(3, arguments.rounds // 4)),
        }


def _quality(python: Path, folder: Path) -> dict[str, Any]:
    if not python.exists():
        return {"missing": "there is no environment of the peers"}
    found = {}
    for number, name in enumerate(FILES):
        path = folder / f"{number}.jpg"
        path.write_bytes(MAKERS[name]().data)
        done = subprocess.run(
            [str(python), str(WORKER), str(path)],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=True,
        )
        found[name] = json.loads(done.stdout.splitlines()[-1])
    return found


def _children() -> float:
    """Processor seconds of this process and of the programs it waited for."""
    own, programs = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + programs.ru_utime + programs.ru_stime


def _reading(folder: Path, rounds: int) -> dict[str, Any]:
    engine = load_engine(Settings())
    path = folder / "card.jpg"
    path.write_bytes(card())
    typed = person(SEED).claims()
    claims = {name: typed[name] for name in CLAIMS}
    page, data = a4_colour(), path.read_bytes()
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}

    def tesseract() -> None:
        command = ["tesseract", str(path), "stdout", "-l", "ara+eng"]
        subprocess.run(command, capture_output=True, env=environment, check=True)

    spent = interleaved(
        {
            "decode_a4": lambda: decode(page),
            "docqa": lambda: inspect(
                data, engine=engine, document_type="sy-id-front", claims=claims
            ),
            "tesseract": tesseract,
        },
        rounds,
        _children,
    )
    return {
        "target_ratio": 6.0,
        "docqa": summary(spent["docqa"]) | {"ratio": ratio(spent["docqa"], spent["decode_a4"])},
        "tesseract_cli": summary(spent["tesseract"])
        | {"ratio": ratio(spent["tesseract"], spent["decode_a4"])},
    }
