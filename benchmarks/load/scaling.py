"""Ten million documents on a hundred nodes, reckoned from what one document was measured to cost.

    python -m benchmarks.load.scaling            # prints the table
    python -m benchmarks.load.scaling --write    # puts it into docs/batch.md

Nothing here was run at that size. The unit costs are those of ``results/batch-units.json``
(``benchmarks.load.cluster``), ``results/revalidation.json`` and ``results/speed.json``; a core of a
node is taken to be one of the machine that they were measured on.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from dataclasses import dataclass
from typing import Any

from benchmarks.load.published import RESULTS

DOCUMENTS = 10_000_000
NODES = 100
CORES = 16
PAGE = RESULTS.parents[1] / "docs/batch.md"
_BEGIN, _END = "<!-- benchmarks.load.scaling -->", "<!-- end -->"
_SCAN = "A4 colour scan, 300 ppi"


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one document."""

    decide_s: float
    """Processor time of the driver where only a limit moved, PostgreSQL."""
    inspect_s: float
    """Of a node's core: decoding and every measure."""
    read_s: float
    blob_bytes: int
    driver_s: float
    """Where a node made something anew, writing it to the database included."""
    scheduler_s: float
    message_bytes: int
    database_bytes: int


def _result(name: str) -> dict[str, Any]:
    return dict(json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")))


def measured() -> Costs:
    """The unit costs that were measured last."""
    units, speed = _result("batch-units"), _result("speed")
    page = speed["report"]["inputs"][_SCAN]
    return Costs(
        decide_s=1 / _result("revalidation")["postgresql"]["per_processor_s"],
        inspect_s=page["report"]["median_ms"] / 1000,
        read_s=speed["peers"]["reading"]["docqa"]["median_ms"] / 1000,
        blob_bytes=page["bytes"],
        driver_s=units["driver_processor_ms"] / 1000,
        scheduler_s=units["scheduler_processor_ms"] / 1000,
        message_bytes=units["message_bytes"],
        database_bytes=units["database_bytes"],
    )


def section(costs: Costs) -> str:
    """The section of docs/batch.md."""
    cores = NODES * CORES
    node_s = costs.inspect_s + costs.read_s
    nodes_h = _hours(DOCUMENTS * node_s / cores)
    driver_h, scheduler_h = (_hours(DOCUMENTS * one) for one in (costs.driver_s, costs.scheduler_s))
    hours = max(nodes_h, driver_h, scheduler_h)
    rate = DOCUMENTS / (hours * 3600)
    busy = min(cores, rate * node_s)
    drivers = math.ceil(max(driver_h, scheduler_h) / nodes_h)
    limit = {nodes_h: "the nodes", driver_h: "the driver", scheduler_h: "the scheduler"}[hours]
    rows = [
        ("A limit moved: deciding, one core of the driver, no node and no blob",
         f"{costs.decide_s * 1e6:.0f} µs", f"{_hours(DOCUMENTS * costs.decide_s):.2g} h"),
        (f"All anew: inspecting and reading, {cores} cores",
         f"{node_s * 1000:.0f} ms", f"{nodes_h:.2g} h"),
        ("All anew: the driver, one core, database writes included",
         f"{costs.driver_s * 1000:.1f} ms", f"{driver_h:.2g} h"),
        ("All anew: the scheduler, one core",
         f"{costs.scheduler_s * 1000:.1f} ms", f"{scheduler_h:.2g} h"),
        ("Blob reads", f"{costs.blob_bytes / 1e3:.0f} kB",
         f"{DOCUMENTS * costs.blob_bytes / 1e12:.1f} TB, {rate * costs.blob_bytes / 1e6:.0f} MB/s"),
        ("Messages through the scheduler", f"{costs.message_bytes / 1e3:.1f} kB",
         f"{DOCUMENTS * costs.message_bytes / 1e9:.0f} GB, "
         f"{rate * costs.message_bytes / 1e6:.1f} MB/s"),
        ("Database writes", f"{costs.database_bytes / 1e3:.1f} kB",
         f"{DOCUMENTS * costs.database_bytes / 1e9:.0f} GB, "
         f"{rate * costs.database_bytes / 1e6:.1f} MB/s"),
    ]  # fmt: skip
    table = "\n".join(f"| {what} | {unit} | {total} |" for what, unit, total in rows)
    return f"""Reckoned, not run: {DOCUMENTS:,} documents on {NODES} nodes of {CORES} cores, from
`results/batch-units.json`, `results/revalidation.json` and `results/speed.json`
(`python -m benchmarks.load.scaling --write`).

| | one document | all |
|---|---|---|
{table}

Where all is made anew, {limit} takes longest: {hours:.2g} h, {rate:.0f} documents a second, with
{busy:.0f} of the {cores} cores at work. To keep all of them at work it would take {drivers} times
a driver with a scheduler of its own, on disjoint selections; several at once are untried."""


def _hours(seconds: float) -> float:
    return seconds / 3600


def written(text: str) -> str:
    """The page with the section in its place."""
    pattern = re.compile(f"({re.escape(_BEGIN)}\n).*?({re.escape(_END)})", re.DOTALL)
    return pattern.sub(lambda found: f"{found[1]}\n{section(measured())}\n\n{found[2]}", text)


def main() -> None:
    """Print the section, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="into docs/batch.md")
    if parser.parse_args().write:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(section(measured()))


if __name__ == "__main__":
    main()
