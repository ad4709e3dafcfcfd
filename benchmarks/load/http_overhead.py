"""What HTTP adds to the pipeline: ``python -m benchmarks.load.http_overhead [--out FILE]``.

Starts ``docqa serve`` in a process of its own and posts a card's scan, filled up to 3 MB, with an
API key over a connection that stays open, in turn with judging the same file in a child without
HTTP. A request is timed from before the client makes its form until it has the whole answer. What
it takes beyond the stages that its own report accounts for is compared, round by round, with the
same of the bare child. Counted, therefore: the client's form and sending, both ends of the socket,
the key, reading the form, keeping the file in memory, threads, the report's JSON, the log. Taken
off: what a child costs without HTTP, which is reading the file, its SHA-256 and the way there and
back.

Beside it: the same upload sent to ``/v1/documents``, which keeps bytes, report and event on the
disk; and sent to an application that only receives it, which is what the transfer takes here.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx

from benchmarks.speed.clock import machine, summary
from benchmarks.speed.inputs import card
from docqa.settings import Settings
from docqa.wiring import load_engine, start_worker
from docqa.worker import Worker
from fixtures.demo import BIN, service

UPLOAD_BYTES = 3_000_000
MOST_SEGMENT_BYTES = 65_533
TARGET_MS = 5.0
WARM_UP_ROUNDS = 3


def filled_up(jpeg: bytes, size: int) -> bytes:
    """The same picture in a file of that size, by comment segments after its start.

    What they hold looks like compressed data: to look for a form's boundary in one byte repeated
    takes 20 times as long where that byte collides with one of the boundary's.
    """
    parts, missing, noise = [jpeg[:2]], size - len(jpeg), random.Random(0)
    while missing > 4:
        length = min(missing - 2, MOST_SEGMENT_BYTES + 2)
        parts.append(b"\xff\xfe" + length.to_bytes(2, "big") + noise.randbytes(length - 2))
        missing -= length + 2
    return b"".join([*parts, jpeg[2:]])


def accounted(timings: dict[str, float]) -> float:
    """Milliseconds of the pipeline's stages."""
    return sum(timings[stage] for stage in ("decode", "measures", "reading"))


async def receive_only(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application that takes a body and says nothing."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@contextmanager
def _receiver() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        command = [
            sys.executable, "-m", "uvicorn", "benchmarks.load.http_overhead:receive_only",
            "--fd", str(listener.fileno()), "--log-level", "warning", "--lifespan", "off",
        ]  # fmt: skip
        process = subprocess.Popen(command, pass_fds=[listener.fileno()])
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=20)


@contextmanager
def _clients(folder: str) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Of the service, with a key, and of the application that only receives."""
    environment = {
        **os.environ,
        "DOCQA_DATABASE_URL": f"sqlite:///{folder}/docqa.sqlite3",
        "DOCQA_BLOBS_DIR": f"{folder}/blobs",
        "DOCQA_WORKERS": "1",
        "DOCQA_RATE_LIMIT": "100000/minute",
    }
    create: list[str | Path] = [
        BIN / "docqa",
        "keys",
        "create",
        "benchmark",
        "--scope",
        "documents:write",
    ]
    key = subprocess.run(create, env=environment, check=True, capture_output=True, text=True)
    bearer = {"Authorization": f"Bearer {key.stdout.strip()}"}
    with (
        service(environment, Path(folder) / "service.log") as address,
        httpx.Client(base_url=address, headers=bearer, timeout=120) as client,
        _receiver() as receiver,
        httpx.Client(base_url=receiver, timeout=120) as floor,
    ):
        yield client, floor


def _posted(client: httpx.Client, path: str, data: bytes) -> tuple[float, httpx.Response]:
    """Milliseconds until the whole answer is there, and the answer."""
    started = perf_counter()
    answer = client.post(
        path,
        files={"file": ("card.jpg", data)},
        data={"document_type": "sy-id-front"},
        headers={"Idempotency-Key": secrets.token_hex(16)},
    )
    spent = (perf_counter() - started) * 1000
    return spent, answer.raise_for_status()


def _beyond(client: httpx.Client, path: str, data: bytes) -> float:
    spent, answer = _posted(client, path, data)
    return spent - accounted(answer.json()["report"]["timings_ms"])


def _alone(worker: Worker, path: Path) -> float:
    started = perf_counter()
    found = worker.inspect_file(path, document_type="sy-id-front")
    return (perf_counter() - started) * 1000 - accounted(dict(found.timings_ms))


def measure(rounds: int) -> dict[str, Any]:
    """All ways in turn, one client; every other round the other way round."""
    data = filled_up(card(), UPLOAD_BYTES)
    settings = Settings(workers=1)
    with (
        tempfile.TemporaryDirectory() as folder,
        _clients(folder) as (client, floor),
        start_worker(settings, load_engine(settings)) as worker,
    ):
        path = Path(folder) / "card.jpg"
        path.write_bytes(data)
        ways: dict[str, Callable[[], float]] = {
            "over_http": lambda: _beyond(client, "/v1/checks", data),
            "over_http_kept": lambda: _beyond(client, "/v1/documents", data),
            "transfer": lambda: _posted(floor, "/", data)[0],
            "in_a_child": lambda: _alone(worker, path),
        }
        spent: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(rounds + WARM_UP_ROUNDS):
            for name in list(ways) if number % 2 else reversed(ways):
                took = ways[name]()
                if number >= WARM_UP_ROUNDS:
                    spent[name].append(took)
    difference = [a - b for a, b in zip(spent["over_http"], spent["in_a_child"], strict=True)]
    return {
        "upload_bytes": len(data),
        "rounds": rounds,
        "beyond_the_stages_over_http": summary(spent["over_http"]),
        "beyond_the_stages_over_http_kept": summary(spent["over_http_kept"]),
        "beyond_the_stages_in_a_child": summary(spent["in_a_child"]),
        "transfer_to_an_empty_application": summary(spent["transfer"]),
        "http_overhead_median_ms": round(statistics.median(difference), 2),
        "target_ms": TARGET_MS,
        "machine": machine(),
    }


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/http-overhead.json"))
    arguments = parser.parse_args()
    result = measure(arguments.rounds)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
