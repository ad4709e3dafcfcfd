"""An S3 of the tests' own, in this process."""

from __future__ import annotations

import atexit
import itertools
import urllib.request
from functools import cache

from moto.server import ThreadedMotoServer

from docqa.adapters.s3 import S3Blobs

CREDENTIALS = ("testing", "testing")
REGION = "us-east-1"
_numbers = itertools.count(1)


@cache
def endpoint() -> str:
    """Where it answers, until the tests end."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    atexit.register(server.stop)
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


def bucket() -> str:
    """The URL of a place in a new bucket."""
    name = f"docqa-{next(_numbers)}"
    request = urllib.request.Request(f"{endpoint()}/{name}", method="PUT")  # noqa: S310
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310
    return f"s3://{name}/scans"


def blobs(url: str | None = None) -> S3Blobs:
    """The blobs at ``url``; in a new bucket if None."""
    return S3Blobs(url or bucket(), endpoint=endpoint(), region=REGION, credentials=CREDENTIALS)
