"""What HTTP adds to the pipeline: ``python -m benchmarks.load.http_overhead [--out FILE]``.

Starts ``docqa serve`` in a process of its own and posts a card's scan, filled up to 3 MB, to
``/v1/checks``, in turn with judging the same file in a child without HTTP. What a request takes
beyond the stages that its own report accounts for is its overhead: upload, spooling, the way to
the child and back, hashing, the report's JSON. The same file is posted in turn to an application
that only receives it: what the transfer alone takes on this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx

from benchmarks.speed.clock import machine, summary
from benchmarks.speed.inputs import card
from docqa.settings import Settings
from docqa.wiring import load_engine, start_worker
from fixtures.demo import service

UPLOAD_BYTES = 3_000_000
MOST_SEGMENT_BYTES = 65_533
TARGET_MS = 5.0


def filled_up(jpeg: bytes, size: int) -> bytes:
    """The same picture in a file of that size, by comment segments after its start."""
    parts, missing = [jpeg[:2]], size - len(jpeg)
    while missing > 4:
        length = min(missing - 2, MOST_SEGMENT_BYTES + 2)
        parts.append(b"\xff\xfe" + length.to_bytes(2, "big") + b"#" * (length - 2))
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


def measure(rounds: int) -> dict[str, Any]:
    """Both ways in turn, one client."""
    data = filled_up(card(), UPLOAD_BYTES)
    over_http: list[float] = []
    bare: list[float] = []
    transfer: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "card.jpg"
        path.write_bytes(data)
        environment = {
            **os.environ,
            "DOCQA_DATABASE_URL": f"sqlite:///{folder}/docqa.sqlite3",
            "DOCQA_BLOBS_DIR": f"{folder}/blobs",
            "DOCQA_INCOMING_DIR": f"{folder}/incoming",
            "DOCQA_WORKERS": "1",
            "DOCQA_DEV": "1",
        }
        settings = Settings(workers=1)
        with (
            service(environment, Path(folder) / "service.log") as address,
            start_worker(settings, load_engine(settings)) as worker,
            httpx.Client(base_url=address, timeout=120) as client,
            _receiver() as receiver,
            httpx.Client(base_url=receiver, timeout=120) as floor,
        ):
            for number in range(rounds + 2):
                started = perf_counter()
                answer = client.post(
                    "/v1/checks",
                    files={"file": ("card.jpg", data)},
                    data={"document_type": "sy-id-front"},
                )
                spent = (perf_counter() - started) * 1000
                report = answer.raise_for_status().json()["report"]
                started = perf_counter()
                floor.post("/", files={"file": ("card.jpg", data)}).raise_for_status()
                received = (perf_counter() - started) * 1000
                started = perf_counter()
                found = worker.inspect_file(path, document_type="sy-id-front")
                alone = (perf_counter() - started) * 1000
                if number >= 2:
                    over_http.append(spent - accounted(report["timings_ms"]))
                    bare.append(alone - accounted(dict(found.timings_ms)))
                    transfer.append(received)
    difference = [one - other for one, other in zip(over_http, bare, strict=True)]
    return {
        "upload_bytes": len(data),
        "beyond_the_stages_over_http": summary(over_http),
        "beyond_the_stages_in_a_child": summary(bare),
        "transfer_to_an_empty_application": summary(transfer),
        "http_overhead_median_ms": round(statistics.median(difference), 2),
        "target_ms": TARGET_MS,
        "machine": machine(),
    }


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/http-overhead.json"))
    arguments = parser.parse_args()
    result = measure(arguments.rounds)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
