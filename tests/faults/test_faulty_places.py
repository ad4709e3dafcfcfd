"""A disk that is full, a folder that is read-only or gone, a database that is down.

The service answers with a clear 5xx, accepts nothing, loses nothing it acknowledged, and works
again as soon as the place does.
"""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from moto.server import ThreadedMotoServer
from starlette.testclient import TestClient

from api.app import create_app
from tests.api.running import until
from tests.api.scripted_service import Scripted, scripted_service
from tests.contracts.s3 import CREDENTIALS, REGION
from tests.faults.installation import Installation
from tests.faults.load import distinct_scan
from tests.memory_files import held_bytes
from tests.postgres_server import PostgresServer, running

_ROOT_WITHOUT_ITS_RIGHTS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""Root may write into read-only folders; without these rights it is like everybody else."""


@contextmanager
def full_disk(most_bytes: int) -> Iterator[None]:
    """No file of this process may grow beyond ``most_bytes``, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Scripted]:
    with scripted_service(tmp_path) as made:
        yield made


def _upload(client: TestClient, mark: bytes, size_bytes: int = 100) -> httpx.Response:
    data = (b"%PDF-1.7 " + mark).ljust(size_bytes, b".")
    answer: httpx.Response = client.post(
        "/v1/documents", files={"file": ("a.pdf", data)}, headers={"Idempotency-Key": str(mark)}
    )
    return answer


@pytest.mark.parametrize("most_bytes", [0, 50_000])
def test_a_full_disk_is_a_clear_5xx_and_nothing_is_kept_half(
    service: Scripted, most_bytes: int
) -> None:
    settings = service.services.settings
    with TestClient(create_app(service.services)) as client:
        kept = _upload(client, b"before").json()
        with full_disk(most_bytes):
            answer = _upload(client, b"during", size_bytes=200_000)
            assert answer.status_code == 503 and int(answer.headers["retry-after"]) > 0
            assert answer.json()["code"] == "service.storage"
        assert client.get(f"/v1/documents/{kept['id']}").json()["report"] == kept["report"]
        assert len(list(service.store.scan())) == 1
        assert len(list(settings.blobs_dir.iterdir())) == 1
        until(lambda: held_bytes() == b"")
        assert _upload(client, b"during", size_bytes=200_000).status_code == 201


def test_a_database_that_cannot_grow_refuses_and_the_bytes_go_too(service: Scripted) -> None:
    database = service.services.settings.database_url.removeprefix("sqlite:///")
    with TestClient(create_app(service.services)) as client:
        assert _upload(client, b"before").status_code == 201
        largest = max(Path(database + end).stat().st_size for end in ("", "-wal"))
        with full_disk(max(8192, largest // 2)):
            assert _upload(client, b"during").status_code == 503
        assert len(list(service.services.settings.blobs_dir.iterdir())) == 1
        assert _upload(client, b"during").status_code == 201
        assert len(list(service.store.scan())) == 2


def test_blobs_that_are_gone_refuse_uploads_until_they_are_back(service: Scripted) -> None:
    folder = service.services.settings.blobs_dir
    with TestClient(create_app(service.services)) as client:
        kept = _upload(client, b"before").json()
        shutil.move(folder, folder.with_name("elsewhere"))
        assert _upload(client, b"during").status_code == 503
        image = client.get(f"/v1/documents/{kept['id']}/pages/1/image")
        assert image.status_code >= 500
        assert len(list(service.store.scan())) == 1
        shutil.move(folder.with_name("elsewhere"), folder)
        assert _upload(client, b"during").status_code == 201
        assert client.get(f"/v1/documents/{kept['id']}/pages/1/image").status_code == 200


class Real:
    """The real service and a client of it."""

    def __init__(self, installation: Installation, client: httpx.Client) -> None:
        self.installation = installation
        self.client = client

    def upload(self, mark: str) -> httpx.Response:
        return self.client.post(
            "/v1/documents", content=distinct_scan(mark), headers={"Idempotency-Key": mark}
        )

    def kept(self, mark: str, answer: httpx.Response) -> bool:
        found = self.client.get(answer.headers["location"])
        sha256 = hashlib.sha256(distinct_scan(mark)).hexdigest()
        return found.status_code == 200 and found.json()["report"]["sha256"] == sha256


@contextmanager
def real(installation: Installation) -> Iterator[Real]:
    installation.start()
    try:
        with httpx.Client(base_url=installation.address, timeout=60) as client:
            yield Real(installation, client)
    finally:
        installation.stop()


@pytest.mark.long
@pytest.mark.skipif(
    os.geteuid() == 0 and shutil.which("setpriv") is None, reason="root writes everywhere"
)
def test_a_read_only_folder_is_a_clear_5xx(tmp_path: Path) -> None:
    prefix = _ROOT_WITHOUT_ITS_RIGHTS if os.geteuid() == 0 else ()
    with real(Installation(tmp_path, prefix=prefix)) as service:
        before = service.upload("before")
        assert before.status_code == 201
        (tmp_path / "blobs").chmod(0o500)
        during = service.upload("during")
        assert during.status_code == 503
        assert during.headers["content-type"] == "application/problem+json"
        assert service.kept("before", before)
        (tmp_path / "blobs").chmod(0o700)
        after = service.upload("during")
        assert after.status_code == 201 and service.kept("during", after)


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    with running() as made:
        yield made


@pytest.mark.long
def test_a_database_that_is_down_is_a_clear_5xx_until_it_is_back(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    installation = Installation(tmp_path, database_url=postgres.url, INSPECT_TIMEOUT_S="1")
    with real(installation) as service:
        before = service.upload("before")
        assert before.status_code == 201
        postgres.stop()
        during = service.upload("during")
        assert during.status_code == 503
        assert during.headers["content-type"] == "application/problem+json"
        ready = service.client.get("/readyz")
        assert ready.status_code == 503 and "database" in ready.text
        assert service.client.get("/livez").status_code == 200
        postgres.start()
        installation.wait_until_ready()
        assert service.kept("before", before)
        after = service.upload("after")
        assert after.status_code == 201 and service.kept("after", after)


@pytest.mark.long
def test_an_s3_that_is_down_is_a_clear_5xx_until_it_is_back(tmp_path: Path) -> None:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    httpx.put(f"{endpoint}/scans").raise_for_status()
    access, secret = CREDENTIALS
    settings = {
        "BLOBS_URL": "s3://scans",
        "S3_ENDPOINT": endpoint,
        "S3_REGION": REGION,
        "S3_ACCESS_KEY_ID": access,
        "S3_SECRET_ACCESS_KEY": secret,
    }
    with real(Installation(tmp_path, **settings)) as service:
        before = service.upload("before")
        assert before.status_code == 201 and service.kept("before", before)
        server.stop()
        during = service.upload("during")
        assert during.status_code == 503 and int(during.headers["retry-after"]) > 0
        assert during.json()["code"] == "service.storage"
        assert service.kept("before", before)
        listed = service.client.get("/v1/documents").json()["items"]
        assert [one["id"] for one in listed] == [before.json()["id"]]
        server = ThreadedMotoServer(host, port, verbose=False)
        server.start()
        after = service.upload("during")
        assert after.status_code == 201 and service.kept("during", after)
        for answer in (before, after):
            assert (
                service.client.get(f"{answer.headers['location']}/pages/1/image").status_code == 200
            )
    server.stop()
