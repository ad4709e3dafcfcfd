"""The service does what /openapi.json says, for many requests of every kind."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from fixtures.synthesize.documents import id_back
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan
from tests.api.described import failures
from tests.api.running import DOCQA, installation, running

SCOPES = ("documents:write", "documents:read", "reviews:read")


@pytest.mark.long
def test_many_requests_of_every_kind_are_answered_as_described(tmp_path: Path) -> None:
    back = scan(id_back(person(21), seed=21), seed=21).data
    environment = installation(tmp_path, rate_limit="1000000/minute")
    scopes = [word for scope in SCOPES for word in ("--scope", scope)]
    made = subprocess.run(
        [DOCQA, "keys", "create", "portal", *scopes],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    key = made.stdout.split()[-1]
    with running(environment, tmp_path) as service:
        few = ("--max-examples", "60")
        found = failures(service.address, back, tmp_path, *few, api_key=key)
    assert not found, found
