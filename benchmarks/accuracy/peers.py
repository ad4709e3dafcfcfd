"""Asks the peers, which run in an environment and a process of their own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

WORKER = Path(__file__).with_name("peer_worker.py")
TIMEOUT_S = 1200


class Peers:
    """The peers' answers.

    Args:
        python: interpreter of the peers' environment; where it is absent every peer is missing.
    """

    def __init__(self, python: Path) -> None:
        self.python = python
        self.missing: dict[str, str] = {}
        """Method -> why it could not run."""

    def ask(self, methods: Iterable[str], files: Iterable[Path]) -> dict[tuple[str, str], Any]:
        """The answers by method and file name; a pair without an answer is not in it."""
        methods, files = list(methods), list(files)
        if not self.python.exists():
            self.missing.update({method: f"there is no {self.python}" for method in methods})
            return {}
        asked = "".join(
            json.dumps({"file": str(file), "method": method}) + "\n"
            for file in files
            for method in methods
        )
        run = subprocess.run(
            [str(self.python), str(WORKER)],
            input=asked,
            capture_output=True,
            timeout=TIMEOUT_S,
            text=True,
            check=False,
        )
        if run.returncode:
            why = (run.stderr.strip().splitlines() or ["it died"])[-1]
            self.missing.update({method: why for method in methods})
        answers = {}
        for line in run.stdout.splitlines():
            answer = json.loads(line)
            if "missing" in answer:
                self.missing[answer["method"]] = answer["missing"]
            elif answer["value"] is not None:
                answers[answer["method"], Path(answer["file"]).name] = answer["value"]
        return answers
