"""How a reader of print is made: draw lines, train, judge in unseen fonts, go on, write."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from docqa.reading.strips import STRIP_EM_PX, STRIP_HEIGHT_PX
from models.strips.faces import Face, installed, missing
from models.strips.network import Size, built, loaded, save, settled
from models.strips.training import Draw, Example, drawn, report, train


@dataclass(frozen=True, slots=True)
class Stretch:
    """One rise and fall of the rate."""

    lines: int
    """How many lines are drawn for it."""
    strips: int
    """How many are shown, each line again and again."""
    highest_rate: float


@dataclass(frozen=True, slots=True)
class Settling:
    """The last stretch, in all faces, with the normalisations folded into the convolutions."""

    example: Draw
    stretch: Stretch


@dataclass(frozen=True, slots=True)
class Course:
    """What one reader learns from."""

    name: str
    """What it reads, for the command's help."""
    example: Draw
    classes: str
    """What it tells apart, without the blank."""
    direction: str
    """``left_to_right`` or ``right_to_left``."""
    size: Size
    known: Stretch
    """In the faces that are not held back."""
    further: Stretch
    """Then in all faces: its lines are those of the held-back ones, added to the first."""
    judged_lines: int
    seed: int
    settling: Settling | None = None


def run(course: Course, folder: Path) -> None:
    """Make the reader and write it into ``folder``, or where ``--out`` says."""
    parser = argparse.ArgumentParser(description=f"Remake the reader of {course.name}.")
    parser.add_argument("--out", type=Path, default=folder)
    parser.add_argument("--processes", type=int, default=2)
    if course.settling is not None:
        parser.add_argument("--settle", action="store_true",
                            help="only the last stretch, from the file that is there")  # fmt: skip
    given = parser.parse_args()
    torch.manual_seed(course.seed)
    torch.set_num_threads(given.processes)
    print("not installed:", ", ".join(missing()) or "nothing")
    faces = installed()
    is_last_only = course.settling is not None and given.settle
    if is_last_only:
        network = loaded(course.size, len(course.classes) + 1, folder / "model.onnx")
    else:
        network = _taught(course, faces, given.out, given.processes)
    if course.settling is not None:
        network = settled(network)
        _settle(network, course, course.settling, faces, given.processes)
        _write(network, course, given.out)


def _taught(course: Course, faces: list[Face], out: Path, processes: int) -> nn.ModuleList:
    """From nothing, in the faces that are not held back and then in all; written after either."""
    held = [face for face in faces if face.is_held_out]
    known = [face for face in faces if not face.is_held_out]
    network = built(course.size, len(course.classes) + 1)

    def lines_in(some: list[Face], count: int, seed: int) -> list[Example]:
        return drawn(course.example, some, count, seed, processes)

    lines = lines_in(known, course.known.lines, course.seed)
    judged = lines_in(held, course.judged_lines, course.seed + 1)
    print(f"{len(lines)} lines of {len(known)} faces; judged on {len(held)} others", flush=True)
    _shown(network, course, course.known, lines, course.seed)
    report(network, judged, course.classes, named="faces not seen")
    _write(network, course, out)
    lines += lines_in(held, course.further.lines, course.seed + 2)
    _shown(network, course, course.further, lines, course.seed + 3)
    report(network, judged, course.classes, named="the same lines, once their faces are known")
    _write(network, course, out)
    return network


def _settle(
    network: nn.ModuleList, course: Course, last: Settling, faces: list[Face], processes: int
) -> None:
    lines = drawn(last.example, faces, last.stretch.lines, course.seed + 4, processes)
    judged = drawn(last.example, faces, course.judged_lines, course.seed + 5, processes)
    report(network, judged, course.classes, named="other lines of the last kind, before")
    _shown(network, course, last.stretch, lines, course.seed + 6)
    report(network, judged, course.classes, named="and after")


def _shown(
    network: nn.ModuleList, course: Course, stretch: Stretch, lines: Sequence[Example], seed: int
) -> None:
    train(
        network, lines, course.classes, columns_per_frame=course.size.columns_per_frame,
        strips=stretch.strips, highest_rate=stretch.highest_rate, seed=seed,
    )  # fmt: skip


def _write(network: nn.ModuleList, course: Course, folder: Path) -> None:
    """``model.onnx`` and ``model.json``."""
    save(network, folder / "model.onnx")
    stretches = [course.known, course.further]
    stretches += [course.settling.stretch] if course.settling is not None else []
    told = {
        "classes": list(course.classes),
        "direction": course.direction,
        "columns_per_frame": course.size.columns_per_frame,
        "height_px": STRIP_HEIGHT_PX,
        "em_px": STRIP_EM_PX,
        "trained": {"seed": course.seed, "strips": sum(stretch.strips for stretch in stretches)},
    }
    text = json.dumps(told, ensure_ascii=False, indent=1) + "\n"
    (folder / "model.json").write_text(text, encoding="utf-8")
