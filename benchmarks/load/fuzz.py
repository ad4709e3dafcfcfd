"""Attacks docqa's parsers with mutated files and texts, and writes what broke.

Each slice runs in a child with a memory limit, so that a crash or a hang of a decoder is a finding
and not the end. Every input is made from (target, slice number, input number) alone.

    python -m benchmarks.load.fuzz --minutes 10
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import sys
import time
from collections import Counter
from pathlib import Path

from benchmarks.load.published import machine, publish
from tests.faults.fuzz_targets import attack, targets
from tests.faults.mutations import mutated

_SLICE = 400
"""Inputs per child."""
_HANG_S = 5
"""Processor time that no input of these sizes may take."""
_MEMORY_BYTES = 3_000_000_000
_HARD = {"file", "pdf"}
"""Targets that decode whole pictures: their slices are shorter."""


def main() -> None:
    """Attack until the time is over; exit 1 when anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--first-slice", type=int, default=0, help="where to go on from")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"))
    options = parser.parse_args()
    os.nice(19)
    begun = time.monotonic()
    until = begun + options.minutes * 60
    inputs: Counter[str] = Counter()
    findings: list[dict[str, object]] = []
    number = options.first_slice
    while time.monotonic() < until:
        for name in targets():
            done, found = _slice(name, number, options.keep)
            inputs[name] += done
            findings += found
            for finding in found:
                print(json.dumps(finding), flush=True)
        number += 1
    result = {
        "seconds": round(time.monotonic() - begun),
        "slices": [options.first_slice, number],
        "inputs": dict(inputs),
        "inputs_total": inputs.total(),
        "findings": findings,
        "machine": machine(),
    }
    publish("fuzz", result)
    print(f"{inputs.total()} inputs, {len(findings)} findings")
    sys.exit(1 if findings else 0)


def input_of(name: str, number: int, at: int) -> bytes:
    """The input ``at`` of slice ``number`` of the target ``name``."""
    target = targets()[name]
    return mutated(random.Random(f"{name}/{number}/{at}"), target.seeds, target.tokens)


def _slice(name: str, number: int, keep: Path) -> tuple[int, list[dict[str, object]]]:
    count = _SLICE // 4 if name in _HARD else _SLICE
    context = multiprocessing.get_context("fork")
    at = context.Value("i", 0)
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_attack_all, args=(name, number, count, at, sender))
    child.start()
    sender.close()
    found: list[dict[str, object]] = []
    while True:
        try:
            found.append(receiver.recv())
        except EOFError:
            break
    child.join()
    if child.exitcode:
        found.append({"input": at.value, "what": f"child ended with {child.exitcode}"})
    for finding in found:
        finding |= {"target": name, "slice": number}
        keep.mkdir(exist_ok=True)
        path = keep / f"{name.replace(' ', '-')}-{number}-{finding['input']}"
        path.write_bytes(input_of(name, number, int(str(finding["input"]))))
    return at.value + 1, found


def _attack_all(name: str, number: int, count: int, at: object, sender: object) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what decoders complain about is expected
    for each in range(count):
        at.value = each  # type: ignore[attr-defined]  # a shared integer
        used = time.process_time()
        hang = int(used) + _HANG_S + 1
        resource.setrlimit(resource.RLIMIT_CPU, (hang, resource.RLIM_INFINITY))
        what = attack(name, input_of(name, number, each))
        if what is not None:
            sender.send({"input": each, "what": what})  # type: ignore[attr-defined]  # a pipe


if __name__ == "__main__":
    main()
