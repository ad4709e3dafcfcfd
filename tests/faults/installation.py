"""The real service in a folder of its own: started, met over HTTP, killed, started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from tests.children import children_of

DOCQA = Path(sys.executable).parent / "docqa"
_READY_WITHIN_S = 90.0
_LOOK_EVERY_S = 0.1


class Installation:
    """An installation of docqa.

    Args:
        folder: for its data and its log.
        database_url: SQLite in the folder if not given.
        prefix: a command that starts the service's command, for instance to take rights away.
        settings: further ``DOCQA_*`` variables, without the prefix.
    """

    def __init__(
        self,
        folder: Path,
        *,
        database_url: str | None = None,
        prefix: Sequence[str] = (),
        **settings: str,
    ) -> None:
        self.folder = folder
        self.blobs_dir = folder / "blobs"
        self.log = folder / "log"
        self._prefix = tuple(prefix)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.settings: Mapping[str, str] = {
            "DATABASE_URL": database_url or f"sqlite:///{folder}/docqa.sqlite3",
            "BLOBS_DIR": str(self.blobs_dir),
            "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
            "DEV": "1",
            "MIGRATE_AT_START": "1",
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """For every docqa command of this installation."""
        return {**os.environ, **{f"DOCQA_{key}": value for key, value in self.settings.items()}}

    @property
    def address(self) -> str:
        """Of the service."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Of the process that serves."""
        assert self._process is not None
        return self._process.pid

    def command(self, *arguments: str) -> str:
        """What ``docqa ARGUMENTS`` prints."""
        done = subprocess.run(
            [DOCQA, *arguments], env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    def start(self) -> None:
        """Serve; ready to judge when this returns."""
        command = [*self._prefix, str(DOCQA), "serve", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Until ``/readyz`` says so."""
        until = time.monotonic() + _READY_WITHIN_S
        while time.monotonic() < until:
            try:
                if httpx.get(f"{self.address}/readyz", timeout=10).status_code == 200:
                    return
            except httpx.HTTPError:
                assert self._process is not None
                if self._process.poll() is not None:
                    break
            time.sleep(_LOOK_EVERY_S)
        raise RuntimeError(f"the service is not ready:\n{self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """End the serving process at once; its children die with it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def kill_a_child(self, which: float) -> bool:
        """End one inspecting child at once; False where there is none.

        Args:
            which: in [0, 1), picks it.
        """
        children = sorted(children_of(self.pid))
        if not children:
            return False
        try:
            os.kill(children[int(which * len(children))], signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def stop(self) -> int:
        """End it in good order; its exit status."""
        assert self._process is not None
        self._process.terminate()
        try:
            return self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
