"""How an installation runs: ``DOCQA_*`` environment variables, each with a safe default.

What is accepted and rejected is not set here but in ``models/policy/``.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything an operator may set. A value of the wrong kind stops the start."""

    model_config = SettingsConfigDict(env_prefix="DOCQA_", frozen=True)

    database_url: str = Field(
        default="sqlite:///docqa-data/docqa.sqlite3",
        description="SQLAlchemy URL of the database. SQLite serves one process.",
    )
    blobs_dir: Path = Field(
        default=Path("docqa-data/blobs"),
        description="Folder of the uploaded bytes; back it up with the database.",
    )
    incoming_dir: Path = Field(
        default=Path("docqa-data/incoming"),
        description="Folder of files while they are being judged.",
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
    waiting: int = Field(
        default=16,
        ge=0,
        le=10_000,
        description="Uploads that may wait for a child; one more gets 503.",
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
    supervisors: frozenset[str] = Field(
        default=frozenset(),
        description='Names of reviewers who may open the supervisor\'s page, as ["name"].',
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
    time_zone: str = Field(
        default="Asia/Damascus", description="Time zone of the hours that reviewers are shown."
    )
    arabic_font: Path = Field(
        default=Path("/usr/share/fonts/truetype/noto/NotoSansArabic-Regular.ttf"),
        description="Font of the pages, its -Bold beside it; the visitor's own fonts without it.",
    )
    session_idle_minutes: int = Field(
        default=30, ge=1, description="A reviewer is signed out after so long without a request."
    )
    session_hours: int = Field(
        default=12, ge=1, description="A reviewer is signed out after so long in any case."
    )
