"""Answers held against what /openapi.json promises.

Those that a test gets, or all that schemathesis gets, which sends a running service every request
that is allowed, and many that are not: no 5xx; only statuses, media types and bodies that are
described; what is wrong is refused; what is right is taken.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from docqa.client import Client

CONFIGURATION = """
[parameters]
"path.document_id" = "{kept}"
"path.page" = 1

[[operations]]
include-method = "DELETE"
[operations.parameters]
"path.document_id" = "{given_up}"

# What fits the schema need not be a document, nor be said only once.
[[operations]]
include-path = "/v1/documents"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", 400, 409, 415, 422]

[[operations]]
include-path = "/v1/checks"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", 400, 409, 415, 422]

# Nor is every text a name, a date or a number, or a service that can be booked.
[[operations]]
include-path = "/v1/documents/{{document_id}}/claims"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", 404, 409, 422]

[[operations]]
include-path = "/v1/bookings/{{ref}}"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", 404, 422]
"""


def check_against(schema: dict[str, Any], value: Any, spec: dict[str, Any]) -> None:
    Draft202012Validator({**schema, "components": spec["components"]}).validate(value)


def hold_to_description(client: TestClient) -> None:
    """From here on every answer to ``client`` under an address that is described has to fit."""
    spec = client.get("/openapi.json").json()
    addresses = [(re.compile(re.sub(r"{\w+}", "[^/]+", path)), path) for path in spec["paths"]]

    def check(answer: httpx.Response) -> None:
        asked = answer.request
        described = next((path for form, path in addresses if form.fullmatch(asked.url.path)), "")
        if described:
            promised = spec["paths"][described][asked.method.lower()]["responses"]
            media_type = answer.headers["Content-Type"].partition(";")[0]
            content = promised[str(answer.status_code)]["content"][media_type]
            answer.read()
            check_against(content.get("schema", {}), answer.json(), spec)

    client.event_hooks = {**client.event_hooks, "response": [check]}


OF_ADMINISTRATORS = "^/v1/(webhook-endpoints|events|revalidations)"
"""Their own tests send these, held by ``hold_to_description``: a portal's key may not."""


def failures(
    address: str, scan: bytes, folder: Path, *options: str, api_key: str | None = None
) -> str:
    """What schemathesis says against the service at ``address``; "" when that is nothing."""
    with Client(address, api_key=api_key) as docqa:
        kept, given_up = (docqa.upload(scan, document_type="sy-id-back").id for _ in range(2))
    configuration = folder / "schemathesis.toml"
    configuration.write_text(CONFIGURATION.format(kept=kept, given_up=given_up), encoding="utf-8")
    header = [] if api_key is None else ["--header", f"Authorization: Bearer {api_key}"]
    environment = {**os.environ, "COLUMNS": "150", "NO_COLOR": "1"}
    done = subprocess.run(
        [
            Path(sys.executable).parent / "schemathesis", "--config-file", configuration,
            "run", f"{address}/openapi.json", "--checks", "all", "--generation-deterministic",
            *header, "--exclude-path-regex", OF_ADMINISTRATORS, *options,
        ],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return "" if done.returncode == 0 else done.stdout + done.stderr
