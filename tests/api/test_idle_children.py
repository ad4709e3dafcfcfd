"""What decodes may be killed while it has nothing to do: no upload pays for it."""

from __future__ import annotations

import io
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from tests.api.running import installation, running, until
from tests.children import children_of

MODELS = Path(__file__).parent.parent.parent / "models"


def page() -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (200, 100), 255).save(buffer, "PNG")
    return buffer.getvalue()


def check(service: httpx.Client) -> set[str]:
    """Codes of the reasons that a page gets."""
    answer = service.post("/v1/checks", files={"file": ("page.png", page())})
    verdict: dict[str, Any] = answer.raise_for_status().json()["report"]["verdict"]
    return {reason["code"] for reason in verdict["reasons"]}


def test_a_service_whose_children_are_killed_recovers_and_says_while_it_cannot(
    tmp_path: Path,
) -> None:
    models = tmp_path / "models"
    shutil.copytree(MODELS, models)
    environment = installation(tmp_path, dev="1", workers="1", models_dir=str(models))
    with (
        running(environment, tmp_path) as service,
        httpx.Client(base_url=service.address, timeout=60) as client,
    ):

        def kill_children() -> None:
            for child in children_of(service.process.pid):
                os.kill(child, signal.SIGKILL)

        found = check(client)
        assert "page.blank" in found
        kill_children()
        assert check(client) == found
        assert client.get("/readyz").json() == {"status": "ready", "problems": []}

        hidden = models.rename(tmp_path / "hidden")
        kill_children()
        until(lambda: client.get("/readyz").status_code == 503)
        [problem] = client.get("/readyz").json()["problems"]
        assert "decode" in problem and "docqa doctor" in problem
        assert check(client) == {"system.failed"}

        hidden.rename(models)
        until(lambda: client.get("/readyz").status_code == 200)
        assert check(client) == found
