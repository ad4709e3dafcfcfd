"""The one place, with ``engine_wiring``, that names adapters and reads ``models/``.

Everything else gets what it needs handed in. A new store is one line here.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial

import numpy as np
from argon2 import PasswordHasher
from limits import RateLimitItem, parse
from limits.errors import ConfigurationError
from limits.storage import storage_from_string
from limits.strategies import RateLimiter, SlidingWindowCounterRateLimiter

from docqa import pipeline
from docqa.adapters.audit_trail import SqlAuditTrail
from docqa.adapters.blobs import FolderBlobs
from docqa.adapters.bookings import SqlBookings
from docqa.adapters.clients import ROLES as ROLES
from docqa.adapters.clients import SCOPES as SCOPES
from docqa.adapters.clients import SqlClients
from docqa.adapters.logs import REDACTOR as REDACTOR
from docqa.adapters.logs import places as places
from docqa.adapters.logs import set_up_logs as set_up_logs
from docqa.adapters.poppler import PopplerRenderer
from docqa.adapters.records import SqlRecords
from docqa.adapters.reseal import reseal as reseal
from docqa.adapters.retention import SqlRetention
from docqa.adapters.revalidation_requests import SqlRequests
from docqa.adapters.revalidations import SqlRevalidations
from docqa.adapters.reviewing import SqlDesk
from docqa.adapters.s3 import S3Blobs
from docqa.adapters.schema import is_missing, migrate
from docqa.adapters.sealed_blobs import SealedBlobs
from docqa.adapters.sealing import parse_keys
from docqa.adapters.sessions import SqlReservations, SqlSessions
from docqa.adapters.storage_faults import is_storage_fault as is_storage_fault
from docqa.adapters.storage_faults import opening_database
from docqa.adapters.storage_faults import told_by_database as told_by_database
from docqa.adapters.store import SqlStore
from docqa.adapters.truths import SqlTruths
from docqa.adapters.webhook_sender import HttpSender
from docqa.adapters.webhook_store import SqlWebhooks
from docqa.bookings import assess, filed
from docqa.engine_wiring import build_child_engine, build_engine, ocr_engine
from docqa.errors import InvalidModel, MissingDependency
from docqa.fields import parse_claims
from docqa.intake import turbojpeg
from docqa.model_files import load_booking_rules as load_booking_rules
from docqa.model_files import load_canary
from docqa.model_files import load_catalogue as load_catalogue
from docqa.model_files import load_document_types as load_document_types
from docqa.model_files import load_places as load_places
from docqa.model_files import load_policy as load_policy
from docqa.model_files import load_retention as load_retention
from docqa.model_files import load_services as load_services
from docqa.model_files import models_dir as models_dir
from docqa.model_files import policy_text as policy_text
from docqa.pipeline import Engine
from docqa.ports import BlobStore
from docqa.reading.canary import reads_arabic
from docqa.report import Report
from docqa.settings import Settings
from docqa.webhooks.courier import Courier
from docqa.worker import ChildLimits, Worker

_REINSTALL_TESSERACT = (
    "pip install -r requirements.lock && apt-get install --reinstall tesseract-ocr-ara"
)


@dataclass(frozen=True, slots=True)
class Stores:
    """Where documents are kept."""

    documents: SqlStore
    blobs: BlobStore
    sessions: SqlSessions
    reservations: SqlReservations
    records: SqlRecords
    bookings: SqlBookings
    webhooks: SqlWebhooks
    clients: SqlClients
    audit: SqlAuditTrail
    retention: SqlRetention
    revalidations: SqlRevalidations
    desk: SqlDesk
    truths: SqlTruths
    requests: SqlRequests


def load_engine(settings: Settings, policy: str | None = None) -> Engine:
    """Build the engine: read and check everything in ``models/``.

    Args:
        settings: limits and places.
        policy: a policy's name in models/policy or a path to a TOML file; the settings' if None.

    Raises:
        InvalidModel: any of the files is wrong, so nothing should start.
    """
    return build_engine(models_dir(settings), policy or settings.policy, settings.limits())


def start_worker(settings: Settings, engine: Engine, policy: str | None = None) -> Worker:
    """Killable children, each with an engine like ``engine``, ready to inspect."""
    return Worker(
        partial(
            build_child_engine, models_dir(settings), policy or settings.policy, settings.limits()
        ),
        engine,
        processes=settings.workers,
        limits=ChildLimits(settings.inspect_timeout_s, settings.child_memory_bytes),
    )


def open_stores(settings: Settings, *, reads_documents: bool = True) -> Stores:
    """The database and the store of uploaded bytes.

    The schema is brought up to date where the settings say so, by default on SQLite only.

    Raises:
        InvalidModel: the schema is not up to date, and bringing it there was not asked for; the
            encryption keys or the credentials of S3 are wrong; a key that documents need is not
            here, and they are to be read; or the database or the folder of the uploaded bytes
            cannot be opened.
    """
    documents = _open_documents(settings, reads_documents)
    blobs = open_blobs(settings)
    sessions = SqlSessions(
        documents.engine,
        idle=timedelta(minutes=settings.session_idle_minutes),
        lifetime=timedelta(hours=settings.session_hours),
    )
    reservations = SqlReservations(documents.engine)
    rules = load_booking_rules(settings)
    bookings = SqlBookings(
        documents,
        lambda booking, present: assess(rules, booking, map(filed, present)),
        rules.deadline,
    )
    if lost := bookings.services_in_use() - set(rules.services):
        raise InvalidModel(
            f"models/services lacks {sorted(lost)[0]!r}, for which there are bookings: put it back"
        )
    retention = SqlRetention(documents.engine, blobs, documents.booking_changed)
    return Stores(
        documents=documents,
        blobs=blobs,
        sessions=sessions,
        reservations=reservations,
        records=SqlRecords(documents, retention),
        bookings=bookings,
        webhooks=SqlWebhooks(documents.engine),
        clients=SqlClients(documents.engine),
        audit=SqlAuditTrail(documents.engine),
        retention=retention,
        revalidations=SqlRevalidations(documents.engine, documents.booking_changed),
        desk=SqlDesk(documents),
        truths=SqlTruths(documents.engine),
        requests=SqlRequests(documents.engine),
    )


def _open_documents(settings: Settings, reads_documents: bool) -> SqlStore:
    migrates = settings.migrate_at_start
    if migrates is None:
        migrates = settings.database_url.startswith("sqlite")
    if migrates:
        migrate_database(settings)
    keyring = parse_keys(settings.encryption_keys.get_secret_value())
    with opening_database():
        documents = SqlStore(settings.database_url, keyring)
    # Without any key all are needed: what came next would lie in clear beside what is sealed.
    needs_keys = reads_documents or not keyring.key_ids
    if problems := documents.problems() if needs_keys else documents.schema_problems():
        documents.close()
        raise InvalidModel("; ".join(problems))
    return documents


def existing_stores(settings: Settings, *, reads_documents: bool = False) -> Stores:
    """The same, for whoever has no use for a new and empty database.

    Raises InvalidModel as :func:`open_stores`, and where there is no database.
    """
    if has_no_database(settings):
        raise InvalidModel(
            "there is no database where DOCQA_DATABASE_URL says: a path in it is taken from the"
            " folder that docqa is started in. `docqa migrate` makes a new one"
        )
    return open_stores(settings, reads_documents=reads_documents)


def has_no_database(settings: Settings) -> bool:
    """Whether the settings name an SQLite file that is not there yet. Raises InvalidModel."""
    with opening_database():
        return is_missing(settings.database_url)


def open_blobs(settings: Settings) -> BlobStore:
    """The uploaded bytes alone, for whoever needs no database."""
    keyring = parse_keys(settings.encryption_keys.get_secret_value())
    return SealedBlobs(bare_blobs(settings), keyring)


def bare_blobs(settings: Settings) -> BlobStore:
    """The store of uploaded bytes, without encryption."""
    if settings.blobs_url is None:
        try:
            return FolderBlobs(settings.blobs_dir)
        except OSError as error:
            raise InvalidModel(
                f"the folder {settings.blobs_dir} cannot be used: {error.strerror}: "
                "see DOCQA_BLOBS_DIR"
            ) from error
    key_id, secret = settings.s3_access_key_id, settings.s3_secret_access_key
    if (key_id is None) != (secret is None):
        raise InvalidModel("DOCQA_S3_ACCESS_KEY_ID and DOCQA_S3_SECRET_ACCESS_KEY go together")
    return S3Blobs(
        settings.blobs_url,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        credentials=None
        if key_id is None or secret is None
        else (key_id, secret.get_secret_value()),
    )


def make_courier(settings: Settings, webhooks: SqlWebhooks) -> Courier:
    """What carries webhooks to their receivers; the caller starts and closes it."""
    sender = HttpSender(settings.webhook_allowed_networks, timeout_s=settings.webhook_timeout_s)
    return Courier(webhooks, sender, timeout_s=settings.webhook_timeout_s)


def rate_counter(limit: str, storage: str) -> tuple[RateLimitItem, RateLimiter]:
    """What ``limit`` says, and what counts by it at the URI ``storage``.

    Raises:
        InvalidModel: one of the two makes no sense, or its client library is not installed.
    """
    try:
        counter = SlidingWindowCounterRateLimiter(
            storage_from_string(storage, wrap_exceptions=True)
        )
        return parse(limit), counter
    except (ValueError, ConfigurationError, ImportError, NotImplementedError) as error:
        raise InvalidModel(
            "DOCQA_RATE_LIMIT or DOCQA_RATE_LIMIT_STORAGE is wrong, or the library of that "
            f"storage is not installed ({type(error).__name__})"
        ) from error


def require_a_key(settings: Settings) -> None:
    """Raises InvalidModel where nobody could call the service: there is no live API key."""
    if settings.dev:
        return
    remedy = (
        "make one by `docqa keys create NAME --scope …`, or try docqa on this machine without keys "
        "by `docqa serve --dev`"
    )
    if has_no_database(settings):  # to look makes none
        raise InvalidModel(
            f"there is no database where DOCQA_DATABASE_URL says, and so no API key: {remedy}"
        )
    stores = open_stores(settings)
    try:
        if not stores.clients.has_live_key(now=datetime.now(UTC)):
            raise InvalidModel(f"there is no API key: {remedy}")
    finally:
        stores.documents.close()


def migrate_database(settings: Settings) -> None:
    """Create the database, or bring its schema up to date.

    Raises:
        InvalidModel: it cannot be opened.
    """
    with opening_database():
        migrate(settings.database_url)


def add_reviewer(stores: Stores, name: str, password: str, role: str | None = None) -> None:
    """Create a reviewer's account, or give it a new password (kept as an argon2 hash).

    Without a ``role`` an account keeps the one it has; a new one is a reviewer's.
    """
    stores.documents.add_reviewer(name, PasswordHasher().hash(password))
    stores.clients.set_role(name, role or stores.clients.role(name))


def close_reviewer(stores: Stores, name: str) -> bool:
    """Sign an account out and let it in no more; False when there is none."""
    unusable = PasswordHasher().hash(secrets.token_hex(32))
    return stores.clients.close_reviewer(name, unusable_hash=unusable)


def dependencies(settings: Settings) -> Mapping[str, Callable[[], str]]:
    """What an installation needs: subject -> a look at it that says its state or raises."""
    ocr = ocr_engine()
    blank = np.full((48, 200), 255, np.uint8)

    def language(name: str) -> str:
        ocr.read_lines([blank], language=name, layout="line")
        return "installed"

    def arabic() -> str:
        if not reads_arabic(ocr, load_canary(models_dir(settings))):
            raise MissingDependency("a Tesseract that reads Arabic", _REINSTALL_TESSERACT)
        return "reads the Arabic word of models/canary"

    def one_pass() -> str:
        if not turbojpeg.is_installed():
            return "none: JPEGs are decoded twice; apt-get install libturbojpeg0"
        return "installed"

    def models() -> str:
        engine = load_engine(settings)
        return f"policy {engine.policy.id}, {len(engine.document_types)} document types"

    return {
        "Tesseract": ocr.version,
        "Tesseract, Arabic": arabic,
        "Tesseract, Arabic script": partial(language, "script/Arabic"),
        "Tesseract, Latin": partial(language, "eng"),
        "Poppler": PopplerRenderer().version,
        "TurboJPEG": one_pass,
        "models": models,
        **_storage(settings),
    }


def _storage(settings: Settings) -> Mapping[str, Callable[[], str]]:
    """The same for what keeps documents."""

    def database() -> str:
        keyring = parse_keys(settings.encryption_keys.get_secret_value())
        with opening_database(), ExitStack() as stack:
            if is_missing(settings.database_url):
                return "none yet: run `docqa migrate`"
            documents = SqlStore(settings.database_url, keyring)
            stack.callback(documents.close)
            documents.engine.connect().close()  # raises what keeps it from answering
            if problems := documents.problems():
                raise InvalidModel("; ".join(problems))
        return "answers, schema up to date"

    def uploads() -> str:
        if settings.blobs_url is None and not settings.blobs_dir.exists():
            return "none yet: the folder is made when docqa starts"
        if problems := open_blobs(settings).problems():
            raise InvalidModel("; ".join(problems))
        return "can be read and written"

    def encryption() -> str:
        keyring = parse_keys(settings.encryption_keys.get_secret_value())
        if not keyring.key_ids:
            return "off: set DOCQA_ENCRYPTION_KEYS to keep documents and claims encrypted"
        return f"on, with the key {keyring.key_ids[0]}"

    return {"database": database, "uploads": uploads, "encryption at rest": encryption}


def inspect(
    data: bytes,
    *,
    document_type: str = "a4-generic",
    claims: Mapping[str, str] | None = None,
    policy: str | None = None,
) -> Report:
    """Judge one trusted document in this process, with the default settings.

    Args:
        data: the bytes of a JPEG, PNG, TIFF or PDF. Untrusted ones belong in a Worker.
        document_type: an id of models/documents.
        claims: what the citizen typed, by claim name. Without any nothing is read.
        policy: a name in models/policy or the path of a TOML file.

    Raises:
        InvalidDocument: the bytes cannot be a document.
        InvalidRequest: the document type is unknown, or a claim is (see docqa.fields.parse_claims).
    """
    engine = _default_engine(policy)
    typed = parse_claims({} if claims is None else claims, datetime.now(UTC).date())
    return pipeline.inspect(data, engine=engine, document_type=document_type, claims=typed)


@cache
def _default_engine(policy: str | None) -> Engine:
    return load_engine(Settings(), policy)
