"""Sends a running service every request that /openapi.json allows, and many it does not.

All checks of schemathesis: no 5xx; only statuses, media types and bodies that are described; what
is wrong is refused; what is right is taken.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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
expected-statuses = ["2xx", 400, 415, 422]

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


OF_ADMINISTRATORS = "^/v1/(webhook-endpoints|events|revalidations)"
"""Their own tests send these: a portal's key may not."""


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
