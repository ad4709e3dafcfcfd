"""Real documents, real children, a real Dask scheduler with workers of its own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from docqa import wiring
from docqa.commands.speaking import EXIT_INTERRUPTED
from docqa.settings import Settings
from fixtures.synthesize.documents import letter
from fixtures.synthesize.scanner import scan
from tests.batch.dask_cluster import Cluster, Installation, killed_at_last, until

DOCUMENTS = 150
pytestmark = pytest.mark.long


def installed(folder: Path, documents: int = DOCUMENTS) -> Installation:
    folder.mkdir()
    files = [scan(letter(script="latin", seed=seed), ppi=100).data for seed in range(6)]
    home = Installation(folder)
    home.fill(files, documents)
    return home


def test_a_cluster_makes_the_reports_that_the_local_pool_makes_whoever_dies_meanwhile(
    tmp_path: Path,
) -> None:
    home, local = installed(tmp_path / "cluster"), installed(tmp_path / "local")
    with Cluster(home, 2) as cluster:
        on_it = ("--cluster", cluster.address)
        with killed_at_last(home.driver(*on_it)) as driver:
            until(lambda: home.recomputed() > 0)
        after_first = home.recomputed()
        assert 0 < after_first < DOCUMENTS, "it was killed in the middle of its work"

        with killed_at_last(home.driver(*on_it)) as driver:
            until(lambda: home.recomputed() > after_first)
            cluster.kill_worker()
            after_second = home.recomputed()
            until(lambda: home.recomputed() > after_second)  # the other worker goes on
            assert home.recomputed() < DOCUMENTS, "so the scheduler is killed amid the work"
            cluster.kill_scheduler()
            _, said = driver.communicate(timeout=120)
            assert driver.returncode == EXIT_INTERRUPTED, said
            assert "run the same command again" in said

        cluster.start_scheduler()
        cluster.start_worker()
        assert home.revalidated(*on_it)["failed"] == 0
    from_cluster = home.reports()
    assert home.reports_of_each() == {2}
    found = [json.loads(report) for report in from_cluster]
    assert [len(report["pages"]) for report in found] == [1] * DOCUMENTS
    assert {report["faults"] == [] for report in found} == {True}
    engine = wiring.load_engine(Settings())
    assert {report["engine"]["digest"] for report in found} == {engine.digest}
    assert local.revalidated()["failed"] == 0
    assert local.reports_of_each() == {2}
    assert local.reports() == from_cluster


def certified(folder: Path) -> tuple[str, ...]:
    """A certificate that vouches for itself, as options."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "docqa test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    cert, its_key = str(folder / "cert.pem"), str(folder / "key.pem")
    return "--tls-ca-file", cert, "--tls-cert", cert, "--tls-key", its_key


def test_a_cluster_with_tls_takes_those_with_a_certificate_and_no_others(tmp_path: Path) -> None:
    home = installed(tmp_path / "cluster", 6)
    tls = certified(tmp_path)
    with Cluster(home, 1, tls) as cluster:
        stranger = home.driver("--cluster", cluster.address)
        _, said = stranger.communicate(timeout=120)
        assert stranger.returncode != 0, said
        assert home.recomputed() == 0
        assert home.revalidated("--cluster", cluster.address, *tls)["failed"] == 0
    assert home.reports_of_each() == {2}
