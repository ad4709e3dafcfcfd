"""Where documents are recomputed: in this process's children, or in those of a cluster's nodes.

Whoever recomputes fetches the bytes itself and returns measurements alone. Untrusted bytes are
decoded in killable children on every node, as in the service.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from docqa import wiring
from docqa.batch.checking import refuse_what_is_no_file
from docqa.errors import DamagedData, InvalidModel, MissingDependency
from docqa.intake.limits import Limits
from docqa.memory_files import MemoryFiles
from docqa.pipeline import Engine
from docqa.plan import Work
from docqa.ports import BlobStore
from docqa.report import Report
from docqa.revalidate import ClusterLost, Recompute, Unread
from docqa.settings import Settings
from docqa.worker import Worker

_LOG = logging.getLogger(__name__)
NICE = 10
"""Of a batch, its children below it like everybody's: interactive uploads on the same machine go
first."""

_QUIET_S = 5.0
_WORKER_WITHIN_S = 300.0
"""As long as a new machine takes to start: the scheduler may be up before those of its workers."""


@dataclass(frozen=True, slots=True)
class Order:
    """By what a cluster's nodes are to recompute."""

    policy_text: str
    engine_digest: str
    limits: Limits
    """Of what is decoded."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Files of a cluster's TLS, as ``distributed.Security`` takes them."""

    ca_file: str
    cert: str
    key: str


@dataclass(frozen=True, slots=True)
class Station:
    """Recomputes documents in its children."""

    blobs: BlobStore
    worker: Worker
    files: MemoryFiles
    """Where they find the bytes: what is stored sealed must not lie on a disk in clear."""

    def __call__(self, work: Work) -> Report:
        """See :data:`docqa.revalidate.Recompute`.

        Raises:
            Unread: this file cannot be had.
            OSError: none can, since the store does not answer.
        """
        with self.files.holding(self._read(work)) as path:
            return self.worker.recompute_file(path, work)

    def _read(self, work: Work) -> bytes:
        try:
            return self.blobs.get(work.blob_key)
        except (KeyError, OSError, DamagedData) as error:
            _LOG.warning(
                "the file of %s cannot be read: %s", work.document_id, type(error).__name__
            )
            if isinstance(error, OSError) and self.blobs.problems():
                raise
            raise Unread(work.document_id) from error


@contextmanager
def policy_file(text: str) -> Iterator[str]:
    """The path of a file with this policy, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="docqa-policy-") as folder:
        path = Path(folder) / "policy.toml"
        path.write_text(text, encoding="utf-8")
        yield str(path)


@contextmanager
def local_station(
    settings: Settings, engine: Engine, policy: str
) -> Iterator[tuple[Executor, Recompute, int]]:
    """An executor whose threads hand documents to killable children of this process.

    The children start with the first document, so that a run which needs no pixels has none.
    """
    opened: list[Worker] = []
    lock = threading.Lock()
    blobs, files = wiring.open_blobs(settings), MemoryFiles()

    def recompute(work: Work) -> Report:
        with lock:
            if not opened:
                opened.append(wiring.start_worker(settings, engine, policy))
        return Station(blobs, opened[0], files)(work)

    try:
        with ThreadPoolExecutor(settings.workers) as threads:
            yield threads, recompute, settings.workers
    finally:
        for worker in opened:
            worker.close()
        files.close()


@contextmanager
def cluster_station(
    address: str, tls: Tls | None, order: Order
) -> Iterator[tuple[Executor, Recompute, int]]:
    """An executor on a Dask cluster, and what to ask it for; see :func:`cluster`.

    Args:
        address: of the scheduler.
        tls: its files.
        order: by what to recompute.
    """
    with cluster(address, tls) as (executor, workers):
        yield executor, partial(recompute_on_node, order), workers


@contextmanager
def cluster(address: str, tls: Tls | None) -> Iterator[tuple[Executor, int]]:
    """An executor on a Dask cluster, and how many documents it works on at the same time.

    Args:
        address: of the scheduler, ``tcp://…`` or ``tls://…``.
        tls: its files; None without, or where Dask's own configuration names them.

    Raises:
        ClusterLost: no scheduler answers there, or it has no worker and gets none.
        InvalidModel: the address needs TLS, and its files are not named or cannot be used.
    """
    dask = import_dask()
    security = _security(dask, tls) if address.startswith("tls://") else None
    try:
        client = dask.Client(address, security=security, set_as_default=False, timeout="20s")
    except (OSError, TimeoutError) as error:
        raise ClusterLost(f"no Dask scheduler answers at {address}") from error
    try:
        _await_a_worker(client, address)
        workers = max(1, sum(client.nthreads().values()))
        yield client.get_executor(pure=False), workers
    finally:
        client.close(timeout=5)


def _await_a_worker(client: Any, address: str) -> None:
    try:
        try:
            client.wait_for_workers(1, timeout=_QUIET_S)
        except TimeoutError:
            _LOG.warning("the scheduler at %s has no worker yet", address)
            client.wait_for_workers(1, timeout=_WORKER_WITHIN_S)
    except OSError as error:  # a time that is over is one, a scheduler that goes another
        raise ClusterLost(
            f"no worker comes to the scheduler: start `dask worker {address}` and run the same "
            "command again"
        ) from error


def _security(dask: Any, tls: Tls | None) -> Any:
    """What Dask takes, which itself would tell only after a minute what is wrong with the files."""
    named = {}
    if tls is not None:
        named = {
            "tls_ca_file": tls.ca_file,
            "tls_client_cert": tls.cert,
            "tls_client_key": tls.key,
        }
    security = dask.Security(require_encryption=True, **named)
    try:
        if security.get_connection_args("client")["ssl_context"] is not None:
            return security
    except OSError as error:
        raise InvalidModel(
            f"the files of the cluster's TLS cannot be used: {error.strerror or error}: "
            "see --tls-ca-file, --tls-cert and --tls-key"
        ) from error
    raise InvalidModel(
        "a cluster at tls:// needs an authority, a certificate and its key: name their files in "
        "Dask's own configuration, under distributed.comm.tls, or give `docqa revalidate` "
        "--tls-ca-file, --tls-cert and --tls-key"
    )


def import_dask() -> Any:
    """The package ``distributed``, an extra. Raises MissingDependency where it is not installed."""
    try:
        import distributed
    except ImportError as error:
        remedy = "pip install 'docqa[batch]'"
        raise MissingDependency("distributed is not installed", remedy) from error
    return distributed


_stations: dict[Order, Station] = {}
_stations_lock = threading.Lock()


def recompute_on_node(order: Order, work: Work) -> Report:
    """Runs in a Dask worker: recompute with this node's settings (``DOCQA_*``), kept open.

    Raises:
        ClusterLost: this node does not have the driver's code and models, or may not start
            children.
    """
    return _station(order)(work)


def inspect_on_node(
    order: Order, document_type: str, claims: Mapping[str, str], path: Path
) -> Report:
    """Runs in a Dask worker: the report on a file that this node sees at the same path.

    Raises:
        InvalidDocument: as :func:`docqa.pipeline.inspect`.
        ClusterLost: as :func:`recompute_on_node`.
        OSError: there is no such file on this node, or it is none.
    """
    refuse_what_is_no_file(path)
    worker = _station(order).worker
    return worker.inspect_file(path, document_type=document_type, claims=claims)


def report_of(future: Future[Report], failed: Callable[[str], Report]) -> Report:
    """The report that a node made.

    Args:
        future: of :func:`inspect_on_node`.
        failed: makes the report of a document with which one Dask worker after the other ended.

    Raises:
        InvalidDocument, OSError: as :func:`inspect_on_node`.
        ClusterLost: the cluster is gone, or its nodes are not set up.
    """
    try:
        return future.result()
    except CancelledError as error:
        raise ClusterLost("the workers are gone; run the same command again") from error
    except Exception as error:
        if type(error).__name__ == "KilledWorker":
            return failed("system.crashed")
        if type(error).__module__.startswith("distributed"):
            raise ClusterLost("the cluster is gone; run the same command again") from error
        raise


def _station(order: Order) -> Station:
    with _stations_lock:
        if order not in _stations:
            _stations[order] = _open_station(order)
    return _stations[order]


def _open_station(order: Order) -> Station:
    if multiprocessing.current_process().daemon:
        raise ClusterLost(
            "a Dask worker may not start children: start it with "
            "DASK_DISTRIBUTED__WORKER__DAEMON=False"
        )
    settings = Settings().with_limits(order.limits)  # else two nodes might differ over one file
    folder = Path(tempfile.mkdtemp(prefix="docqa-policy-"))
    (folder / "policy.toml").write_text(order.policy_text, encoding="utf-8")
    policy = str(folder / "policy.toml")  # stays: every new child reads it
    engine = wiring.load_engine(settings, policy)
    if engine.digest != order.engine_digest:
        raise ClusterLost(
            "a Dask worker has other code, models or OCR languages than the driver: install the "
            "same docqa on every node"
        )
    return Station(
        wiring.open_blobs(settings), wiring.start_worker(settings, engine, policy), MemoryFiles()
    )


def step_aside() -> None:
    """Let everything else on this machine go first."""
    os.nice(NICE)
