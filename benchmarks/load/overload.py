"""What the service does with half as many uploads again as it can take.

First uploads come one at a time (unloaded), then as many as are taken at once (its capacity). Then
they arrive at their own pace, whatever becomes of those before: at half and four fifths of that
rate, where few should be sent away, and for minutes at 1.5 times that rate.

    python -m benchmarks.load.overload
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import uvloop

from benchmarks.load.light_client import LightClient
from benchmarks.load.published import machine, publish
from tests.faults.installation import Installation
from tests.faults.load import distinct_scan

OVERLOAD = 1.5
USUAL_LOADS = {"at_half_capacity": 0.5, "at_four_fifths_of_capacity": 0.8}
UNLOADED_COUNT = 40
CAPACITY_S = 20.0
MOST_P99_RATIO = 3.0
MOST_REFUSAL_MS = 20.0
_WORKERS = 2
_SENT = "/v1/documents?document_type=a4-generic"


@dataclass(slots=True)
class Answers:
    """How uploads were answered."""

    accepted_s: list[float] = field(default_factory=list)
    refused_s: list[float] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)

    async def upload(self, client: LightClient) -> None:
        """One upload, timed from its sending to the end of its answer."""
        mark = uuid.uuid4().hex
        data = distinct_scan(mark)
        started = perf_counter()
        try:
            answer = await client.request(
                "POST", _SENT, body=data,
                headers={"content-type": "image/jpeg", "idempotency-key": mark},
            )  # fmt: skip
        except (OSError, asyncio.IncompleteReadError) as error:
            self.others[type(error).__name__] += 1
            return
        spent = perf_counter() - started
        if answer.status == 201:
            self.accepted_s.append(spent)
            self.acknowledged.append(answer.json()["id"])
        elif answer.status == 503 and "retry-after" in answer.headers:
            self.refused_s.append(spent)
        else:
            self.others[str(answer.status)] += 1

    def summary(self) -> dict[str, Any]:
        """How many were sent away, and how long the others took."""
        answered = len(self.accepted_s) + len(self.refused_s)
        return {
            "refused_fraction": round(len(self.refused_s) / answered, 4),
            "accepted_ms": percentiles(self.accepted_s),
        }


async def one_at_a_time(client: LightClient, count: int) -> Answers:
    """The latency of a service with nothing else to do."""
    answers = Answers()
    for _ in range(count):
        await answers.upload(client)
    return answers


async def closed(client: LightClient, clients: int, seconds: float) -> Answers:
    """As many as the service takes from clients who wait for each answer."""
    answers, end = Answers(), perf_counter() + seconds

    async def keep_sending() -> None:
        while perf_counter() < end:
            await answers.upload(client)

    await asyncio.gather(*(keep_sending() for _ in range(clients)))
    return answers


async def arriving(client: LightClient, per_second: float, seconds: float) -> Answers:
    """Uploads at random moments, so many per second, that do not wait for each other."""
    answers, rng = Answers(), np.random.default_rng(20_261_123)
    started, due, sent = perf_counter(), 0.0, []
    while due < seconds:
        await asyncio.sleep(max(0.0, started + due - perf_counter()))
        sent.append(asyncio.create_task(answers.upload(client)))
        due += float(rng.exponential(1 / per_second))
    await asyncio.gather(*sent)
    return answers


async def measure(address: str, minutes: float) -> dict[str, Any]:
    """All of them, and what became of every upload that was acknowledged."""
    client = LightClient(address)
    await closed(client, _WORKERS, 5.0)
    alone = await one_at_a_time(client, UNLOADED_COUNT)
    full = await closed(client, _WORKERS, CAPACITY_S)
    capacity = len(full.accepted_s) / CAPACITY_S
    usual = {
        name: await arriving(client, load * capacity, CAPACITY_S)
        for name, load in USUAL_LOADS.items()
    }
    loaded = await arriving(client, OVERLOAD * capacity, minutes * 60)
    lost = 0
    for document in loaded.acknowledged:
        lost += (await client.request("GET", f"/v1/documents/{document}")).status != 200
    client.close()
    unloaded = percentiles(alone.accepted_s)
    accepted, refused = percentiles(loaded.accepted_s), percentiles(loaded.refused_s)
    return {
        "capacity_per_s": round(capacity, 2),
        "offered_per_s": round(OVERLOAD * capacity, 2),
        "minutes": minutes,
        "unloaded_ms": unloaded,
        **{name: answers.summary() for name, answers in usual.items()},
        "accepted": len(loaded.accepted_s),
        "accepted_ms": accepted,
        "p99_over_unloaded_median": round(accepted["p99"] / unloaded["p50"], 2),
        "most_p99_ratio": MOST_P99_RATIO,
        "refused": len(loaded.refused_s),
        "refused_ms": refused,
        "most_refusal_ms": MOST_REFUSAL_MS,
        "other_answers": dict(sum((each.others for each in usual.values()), loaded.others)),
        "acknowledged_and_lost": lost,
    }


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Milliseconds that half, nine tenths and all but a hundredth stay under."""
    if not seconds:
        return {}
    return {f"p{p}": round(float(np.percentile(seconds, p)) * 1000, 1) for p in (50, 90, 99)}


def main() -> None:
    """Run, publish, and exit 1 when an acknowledged upload is lost or anything else is answered."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--waiting", help="DOCQA_WAITING; the default's if not given")
    options = parser.parse_args()
    more = {"WAITING": options.waiting} if options.waiting else {}
    with tempfile.TemporaryDirectory(prefix="docqa-overload-") as folder:
        installation = Installation(Path(folder), WORKERS=str(_WORKERS), **more)
        installation.start()
        try:
            result = uvloop.run(measure(installation.address, options.minutes))
        finally:
            installation.stop()
    publish("overload", {**result, "machine": machine()})
    print(result)
    sys.exit(1 if result["acknowledged_and_lost"] or result["other_answers"] else 0)


if __name__ == "__main__":
    main()
