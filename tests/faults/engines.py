"""OCR programs that fail, each in its own way: small scripts that stand in for tesseract."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

Fault = Literal["crash", "hang", "bad-utf8", "empty", "too-many", "no-output", "hang-at-start"]
SECRET = "SECRET-OF-THE-DOCUMENT"

_LANGUAGES = 'if [ "$1" = --list-langs ]; then printf "List (2):\\nara\\neng\\n"; exit 0; fi\n'
_VERSION = 'if [ "$1" = --version ]; then echo "tesseract 0.0-fake"; exit 0; fi\n'
# $2 is the output without its ending. exec, so that killing the process kills the sleep.
_BODIES: dict[Fault, str] = {
    "crash": f'echo "{SECRET}" >&2; kill -SEGV $$\n',
    "hang": "exec sleep 60\n",
    "bad-utf8": f"printf '{SECRET} \\377\\376' > \"$2.txt\"\n",
    "empty": ': > "$2.txt"\n',
    "too-many": "printf 'one\\n\\014two\\n\\014three\\n\\014' > \"$2.txt\"\n",
    "no-output": "exit 0\n",
    "hang-at-start": "exit 0\n",
}


def fake_tesseract(folder: Path, fault: Fault) -> str:
    """Path of a new executable in ``folder`` that fails in the given way on every reading."""
    path = folder / f"tesseract-{fault}"
    answers = "exec sleep 60\n" if fault == "hang-at-start" else _LANGUAGES + _VERSION
    path.write_text("#!/bin/sh\n" + answers + _BODIES[fault], encoding="utf-8")
    path.chmod(0o700)
    return str(path)
