"""How an installation runs: ``DOCQA_*`` environment variables, each with a safe default.

They may stand in a TOML file as well, named by ``DOCQA_CONFIG`` (``port = 8000``, without the
prefix); the environment wins. A key that does not exist stops the start, wherever it stands.
What is accepted and rejected is not set here but in ``models/policy/``.
"""

from __future__ import annotations

import os
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from docqa.errors import InvalidModel
from docqa.intake.limits import Limits
from docqa.toml_text import tables_of

PREFIX = "DOCQA_"
CONFIG_VARIABLE = "DOCQA_CONFIG"
_OF_TESTS = "DOCQA_TEST_"
"""What the test suite itself is told; no setting."""
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _comma_separated(value: object) -> object:
    if not isinstance(value, str):
        return value
    return [part.strip() for part in value.split(",") if part.strip()]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"there is no time zone {name!r}, such as Asia/Damascus") from error
    return name


def _known_rate(text: str) -> str:
    from limits import parse  # costs memory, which children that never count need not have

    try:
        amount = parse(text).amount
    except ValueError as error:
        raise ValueError(f"{text!r} is no rate, such as 600/minute") from error
    if amount < 1:
        raise ValueError(f"{text!r} would refuse every request; such as 600/minute")
    return text


_LIMITS = {
    "max_bytes": "max_upload_bytes",
    "max_pixels": "max_pixels",
    "max_side_px": "max_side_px",
    "max_pages": "max_pages",
    "max_jpeg_scans": "max_jpeg_scans",
}
"""Of each limit the setting."""


class Settings(BaseSettings):
    """Everything an operator may set. A value of the wrong kind stops the start."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True
    )

    database_url: str = Field(
        default="sqlite:///docqa-data/docqa.sqlite3",
        description="SQLAlchemy URL of the database. SQLite is for one service on one "
        "machine, beside which commands may run; several replicas need PostgreSQL.",
    )
    blobs_dir: Path = Field(
        default=Path("docqa-data/blobs"),
        description="Folder of the uploaded bytes; back it up after the database, as "
        "docs/running.md says.",
    )
    blobs_url: str | None = Field(
        default=None,
        pattern=r"^s3://[^/?#]+(/[^?#]*)?$",
        description="s3://bucket/prefix to keep the uploaded bytes in S3; blobs_dir if unset.",
    )
    s3_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="Address of an S3 service other than Amazon's.",
    )
    s3_region: str = Field(default="us-east-1", description="Region of the S3 bucket.")
    s3_access_key_id: str | None = Field(
        default=None,
        description="Access key of S3; with its secret, or those of the machine if unset.",
    )
    s3_secret_access_key: SecretStr | None = Field(
        default=None, description="Secret of the S3 access key."
    )
    encryption_keys: SecretStr = Field(
        default=SecretStr(""),
        description="Keys of the encryption at rest, id:base64 of 32 bytes, separated by commas, or"
        " the path of a file with one a line. The first one encrypts, all decrypt. Where there was"
        " none before, stop every service, run `docqa reseal` with one, and start them: until that"
        " is done what was stored before cannot be shown. To change keys, put the new one last and"
        " restart every service, put it first and restart every service again, run `docqa reseal`,"
        " and only then take the old one away: what one service encrypts by the new key each other"
        " must be able to open. Nothing is encrypted if unset.",
    )
    retention: str = Field(
        default="default", description="Name of the file in models/retention/ for `docqa purge`."
    )
    models_dir: Path | None = Field(
        default=None,
        description="Folder with policy/, documents/, reasons/ …; the packaged one if unset.",
    )

    policy: str = Field(default="sy-passport", description="Name of the policy in models/policy/.")

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
    workers: int = Field(
        default=2,
        ge=1,
        le=256,
        description="Documents inspected at the same time, each in a child.",
    )
    waiting: int | None = Field(
        default=None,
        ge=0,
        le=10_000,
        description=(
            "Uploads that may wait for a child; one more gets 503. If unset, four for each of"
            " `workers` while the service keeps up; while more comes than it can serve, an upload"
            " is taken only if its turn comes within a fifth of what an inspection usually takes."
        ),
    )
    retry_after_s: int = Field(
        default=5,
        ge=1,
        le=3600,
        description="What an overloaded service tells clients to wait, seconds.",
    )

    max_upload_bytes: int = Field(
        default=15_000_000, ge=1, description="Largest file accepted, bytes (1 MB = 1 000 000)."
    )
    upload_timeout_s: float = Field(
        default=60.0, gt=0, description="Longest time a client may take to send its file, seconds."
    )
    max_pixels: int = Field(
        default=60_000_000,
        ge=1,
        description="Most pixels of one page; A4 at 600 ppi has 35 million.",
    )
    max_side_px: int = Field(default=20_000, ge=1, description="Longest side of one page, pixels.")
    max_pages: int = Field(default=10, ge=1, description="Most pages of a PDF or TIFF.")
    max_jpeg_scans: int = Field(
        default=64,
        ge=1,
        description="Most scans of a progressive JPEG; more only slow the decoder down.",
    )
    inspect_timeout_s: float = Field(
        default=30.0,
        gt=0,
        description="Wall clock for one document; then its child is killed, seconds.",
    )
    child_memory_bytes: int = Field(
        default=3_000_000_000, ge=500_000_000, description="Address space of one child, bytes."
    )
    page_image_max_side_px: int = Field(
        default=2000,
        ge=100,
        le=10_000,
        description="Longest side of a page image that is served, pixels.",
    )

    deadline_days: int = Field(
        default=10, ge=1, description="Days from upload to deadline where the booking names none."
    )
    second_look_fraction: float = Field(
        default=0.02,
        ge=0,
        le=1,
        description="Share of the decisions that a second reviewer makes again without knowing.",
    )
    claim_minutes: int = Field(
        default=10, ge=1, description="How long a reviewer holds a document without a sign of life."
    )
    time_zone: Annotated[str, AfterValidator(_known_zone)] = Field(
        default="Asia/Damascus", description="Time zone of the hours that reviewers are shown."
    )
    arabic_font: Path = Field(
        default=Path("/usr/share/fonts/truetype/noto/NotoSansArabic-Regular.ttf"),
        description="Font of the pages, its -Bold beside it; the visitor's own fonts without it.",
    )
    session_idle_minutes: int = Field(
        default=30,
        ge=1,
        description="A reviewer is signed out after so long without a request of theirs.",
    )
    session_hours: int = Field(
        default=12, ge=1, description="A reviewer is signed out after so long in any case."
    )

    webhook_allowed_networks: Annotated[
        tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_comma_separated)
    ] = Field(
        default=(),
        description="Networks of your own that webhooks may go to, also by http: 10.1.0.0/16,…",
    )
    webhook_timeout_s: float = Field(
        default=15.0, gt=0, le=60, description="Longest time a receiver may take, seconds."
    )
    webhook_threads: int = Field(
        default=4,
        ge=0,
        le=64,
        description="Webhooks on their way at the same time, two at most to one receiver; 0: only "
        "`docqa webhooks deliver`.",
    )
    dev: bool = Field(
        default=False,
        description="For development: no API keys are needed, everybody is the client `local`. "
        "Listens on this machine only.",
    )
    try_page: bool = Field(
        default=True,
        description="Whether there is `/try`, where anybody who reaches the service may have a "
        "file looked at without a key. Nothing of it is kept.",
    )
    rate_limit: Annotated[str, AfterValidator(_known_rate)] = Field(
        default="600/minute",
        description="Requests of one client, and files that all who use `/try` send together; one "
        "more gets 429. As the limits library writes it.",
    )
    rate_limit_storage: str = Field(
        default="memory://",
        description="Where requests are counted: in each process, or in a Redis that all replicas "
        "share (`redis://…`; install the Python package redis as well).",
    )
    longest_wait_s: float = Field(
        default=20.0,
        gt=0,
        description="While an upload has waited so long for a child, further ones get 503, "
        "seconds.",
    )
    spare_memory_bytes: int = Field(
        default=500_000_000,
        ge=0,
        description="While less memory is available, to the machine or to the container, uploads "
        "get 503, bytes.",
    )
    shutdown_timeout_s: int = Field(
        default=40,
        ge=1,
        description="After SIGTERM requests in flight may take so long; new ones get 503, seconds.",
    )
    migrate_at_start: bool | None = Field(
        default=None,
        description="Whether the service brings the database's schema up to date when it starts. "
        "Unset: yes on SQLite, no elsewhere, where `docqa migrate` does it.",
    )
    metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Port of `/metrics` for Prometheus; unset: none is opened.",
    )
    metrics_host: str = Field(
        default="127.0.0.1", description="Address on which `/metrics` listens."
    )
    traces: bool = Field(
        default=False,
        description="Whether OpenTelemetry spans are sent as the OTEL_* variables say; needs "
        "`docqa[otel]`.",
    )
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/]",
        description="Where browsers reach the service, for instance `https://docqa.example.org`; "
        "needed for signing in by OpenID Connect. Where it is https, cookies travel by that alone.",
    )
    oidc_issuer: str | None = Field(
        default=None,
        description="Issuer of the OpenID Connect provider by which reviewers sign in; unset: "
        "passwords only.",
    )
    oidc_client_id: str = Field(default="docqa", description="docqa's name at the provider.")
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="docqa's secret at the provider."
    )
    oidc_name_claim: str = Field(
        default="email", description="The claim of the ID token that becomes a reviewer's name."
    )
    oidc_role_claim: str = Field(
        default="docqa_role",
        description="The claim that says reviewer, senior, auditor or admin; without it nobody "
        "gets in.",
    )

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        if self.dev and self.host not in _LOOPBACK:
            raise ValueError("dev needs no keys, so it listens on 127.0.0.1 only: unset host")
        if self.oidc_issuer and not self.public_url:
            raise ValueError("oidc_issuer needs public_url, where the provider sends browsers back")
        if self.blobs_url is None and (
            self.s3_endpoint or self.s3_access_key_id or self.s3_secret_access_key
        ):
            raise ValueError("s3_* settings need blobs_url, s3://bucket/prefix: or unset them")
        return self

    def limits(self) -> Limits:
        """What a file may be, before anything of it is decoded."""
        return Limits(**{name: getattr(self, own) for name, own in _LIMITS.items()})

    def with_limits(self, limits: Limits) -> Self:
        """The same, but for what a file may be."""
        return self.model_copy(update={own: getattr(limits, name) for name, own in _LIMITS.items()})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, then the file that ``DOCQA_CONFIG`` names, then the defaults."""
        _refuse_unknown_variables(set(cls.model_fields))
        file = os.environ.get(CONFIG_VARIABLE)
        if not file:
            return init_settings, env_settings
        return init_settings, env_settings, _file(settings_cls, Path(file))


def _refuse_unknown_variables(known: set[str]) -> None:
    names = {name.upper() for name in os.environ}
    expected = {PREFIX + name.upper() for name in known} | {CONFIG_VARIABLE}
    for name in sorted(names - expected):
        if name.startswith(PREFIX) and not name.startswith(_OF_TESTS):
            raise InvalidModel(f"{name} is no setting; docs/configuration.md lists them all")


def _file(settings_cls: type[BaseSettings], path: Path) -> TomlConfigSettingsSource:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidModel(f"{CONFIG_VARIABLE}={path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidModel(f"{path} is not TOML: {error}") from error
    found = tables_of(text, str(path))
    for name in sorted(set(found) - set(settings_cls.model_fields)):
        raise InvalidModel(f"{path.name}: {name} is no setting; see docs/configuration.md")
    return TomlConfigSettingsSource(settings_cls, path)
