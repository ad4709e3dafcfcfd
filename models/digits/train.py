"""Remake ``model.onnx`` and ``model.json``: the reader of digits.

    python -m models.digits.train

It draws lines in every installed font (``models/strips``), holds whole families back, trains,
prints how well each of those is read, then goes on with all fonts and writes the result. It takes
about half an hour on two cores, needs ``requirements-train.txt``, and draws the same lines every
time with the same fonts.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from docqa.reading.strips import STRIP_EM_PX, STRIP_HEIGHT_PX
from models.digits.examples import CLASSES, example
from models.strips.faces import installed, missing
from models.strips.network import Size, built, save
from models.strips.training import drawn, report, train

SEED = 20_263
SIZE = Size(picture=(16, 48, 64), line=96, dilations=(1, 2, 4))
KNOWN_LINES, HELD_OUT_LINES, JUDGED_LINES = 26_400, 9_000, 1_600
STRIPS, FURTHER_STRIPS = 340_000, 270_000
RATE, FURTHER_RATE = 0.004, 0.0015


def main() -> None:
    """Draw, train, report, go on with all fonts, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(given.processes)
    print("not installed:", ", ".join(missing()) or "nothing")
    faces = installed()
    known = [face for face in faces if not face.is_held_out]
    held = [face for face in faces if face.is_held_out]
    lines = drawn(example, known, KNOWN_LINES, SEED, given.processes)
    judged = drawn(example, held, JUDGED_LINES, SEED + 1, given.processes)
    print(f"{len(lines)} lines of {len(known)} faces; judged on {len(held)} others", flush=True)
    network = built(SIZE, len(CLASSES) + 1)
    per_frame = SIZE.columns_per_frame
    train(
        network, lines, CLASSES, columns_per_frame=per_frame, strips=STRIPS, highest_rate=RATE,
        seed=SEED,
    )  # fmt: skip
    report(network, judged, CLASSES, named="faces not seen")
    write(network, given.out)
    lines += drawn(example, held, HELD_OUT_LINES, SEED + 2, given.processes)
    train(
        network, lines, CLASSES, columns_per_frame=per_frame, strips=FURTHER_STRIPS,
        highest_rate=FURTHER_RATE, seed=SEED + 3,
    )  # fmt: skip
    report(network, judged, CLASSES, named="the same lines, once their faces are known")
    write(network, given.out)


def write(network: torch.nn.ModuleList, folder: Path) -> None:
    """``model.onnx`` and ``model.json``."""
    save(network, folder / "model.onnx")
    told = {
        "classes": list(CLASSES),
        "direction": "left_to_right",
        "columns_per_frame": SIZE.columns_per_frame,
        "height_px": STRIP_HEIGHT_PX,
        "em_px": STRIP_EM_PX,
        "trained": {"seed": SEED, "strips": STRIPS + FURTHER_STRIPS},
    }
    text = json.dumps(told, ensure_ascii=False, indent=1) + "\n"
    (folder / "model.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
