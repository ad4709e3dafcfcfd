"""Photographs the reviewers' pages: both languages, light and dark, desk and phone.

``python -m benchmarks.review_pictures [--out docs/pictures]``: the real service judges invented
documents; Debian's Chromium takes the pictures.
"""

from __future__ import annotations

import argparse
import io
import random
import secrets
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from argon2 import PasswordHasher
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from api.app import create_app
from api.services import Services
from api.start import start
from docqa.adapters.clients import SqlClients
from docqa.adapters.schema import open_engine
from docqa.ports import StoredDocument
from docqa.reviewing import ESCALATE_WITHIN, Decided, Outcome
from docqa.settings import Settings
from fixtures.demo import Upload, uploads
from fixtures.synthesize.documents import id_back, id_front
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan

_SEED = 7
_REVIEWERS = ("huda", "samer", "rana")
_PASSWORD = "only for pictures"
_DESK, _PHONE = (1440, 900), (390, 844)
_COLOURS = 256
"""Of a picture: enough for pages that are mostly plain."""
_BROWSER = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def main() -> None:
    """Take every picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--only", default="", help="Take only pictures whose name has this in it.")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, _service(Path(folder)) as (services, url):
        shown = _fill(services)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=_BROWSER)
            for name, path, language, scheme, size in _pictures(shown):
                if arguments.only in name:
                    page = _signed_in(browser, url, language, scheme, size)
                    page.goto(f"{url}{path}", wait_until="networkidle")
                    # Nobody can decide in the first second.
                    page.locator("[name='decision'][aria-disabled]").first.wait_for(
                        state="detached"
                    )
                    if path == "/try":
                        _try_a_photo(page)
                    _save(page.screenshot(), arguments.out / f"review-{name}.png")
                    page.context.close()
            browser.close()


def _pictures(shown: str) -> Iterator[tuple[str, str, str, str, tuple[int, int]]]:
    for page, path in (("queue", "/review"), ("document", f"/review/{shown}")):
        for language in ("ar", "en"):
            yield f"{page}-{language}", path, language, "light", _DESK
            yield f"{page}-{language}-dark", path, language, "dark", _DESK
    yield "supervision-ar", "/review/supervision", "ar", "light", _DESK
    yield "try-phone-ar", "/try", "ar", "light", _PHONE
    yield "try-phone-en-dark", "/try", "en", "dark", _PHONE


@contextmanager
def _service(folder: Path) -> Iterator[tuple[Services, str]]:
    settings = Settings(
        database_url=f"sqlite:///{folder}/docqa.sqlite3",
        blobs_dir=folder / "blobs",
        second_look_fraction=0.0,
    )
    services, close = start(settings)
    config = uvicorn.Config(create_app(services), port=0, log_config=None, ws="none")
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield services, f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        close()


def _fill(services: Services) -> str:
    """Let documents wait and reviewers have worked; the document that is photographed."""
    for name in _REVIEWERS:
        services.rulings.add_reviewer(name, PasswordHasher().hash(_PASSWORD))
        SqlClients(open_engine(services.settings.database_url)).set_role(name, "senior")
    now = datetime.now(UTC)
    found = list(uploads())
    ids = [
        _add(services, upload, now + timedelta(hours=hours), f"DAM-2026-{booking}")
        for upload, hours, booking in [
            (_turned_front(), 31, 48213),
            (found[3], 44, 48190),
            (found[1], 60, 48213),
            (found[4], 75, 48377),
            (_turned_back(8), 96, 48391),
            (found[2], 130, 48395),
            (found[5], 150, 48402),
            (_turned_back(9), 171, 48407),
        ]
    ]
    services.desk.escalate_due(now=now, within=ESCALATE_WITHIN)
    services.desk.claim(ids[1], "samer", now=now, lease=timedelta(minutes=10))
    services.desk.claim(ids[0], "huda", now=now, lease=timedelta(minutes=10))
    _have_worked(services, ids, now)
    return ids[0]


def _turned_front() -> Upload:
    """A front that lay askew, with another given name typed than it says."""
    typed = person(_SEED).claims()
    names = ("family_name", "father_name", "national_number")
    claims = {"given_name": person(8).claims()["given_name"]} | {
        name: typed[name] for name in names
    }
    data = scan(id_front(person(_SEED), seed=_SEED), seed=5, ppi=200, skew_deg=2.4).data
    return Upload("turned", "البطاقة - وجه.jpg", "sy-id-front", data, claims)


def _turned_back(seed: int) -> Upload:
    typed = person(seed).claims()
    claims = {name: typed[name] for name in ("given_name", "family_name", "national_number")}
    data = scan(id_back(person(seed), seed=seed), seed=seed, ppi=200, skew_deg=2.6).data
    return Upload("turned", f"scan-{seed}.jpg", "sy-id-back", data, claims)


def _add(services: Services, upload: Upload, deadline: datetime, booking: str) -> str:
    with services.files.holding(upload.data) as path:
        found = services.inspector.inspect_file(
            path,
            document_type=upload.document_type,
            claims=upload.claims,
            file_name=upload.file_name,
        )
    key = secrets.token_hex(16)
    services.blobs.put(key, upload.data)
    document = StoredDocument(
        id="doc_" + secrets.token_hex(16),
        blob_key=key,
        file_name=upload.file_name,
        document_type=upload.document_type,
        claims=upload.claims,
        report=found.report,
        decision="accept" if found.report["verdict"]["decision"] == "accept" else "review",
        received_at=datetime.now(UTC) - timedelta(hours=20),
        booking_ref=booking,
        deadline_at=deadline,
        readings=found.readings,
    )
    services.store.add(document)
    return document.id


def _have_worked(services: Services, ids: list[str], now: datetime) -> None:
    """A month of decisions on copies of the documents."""
    chance = random.Random(_SEED)
    outcomes: tuple[Outcome, ...] = ("accept", "accept", "reject", "rescan")
    known = [document for document in map(services.store.get, ids) if document is not None]
    for days in range(30, 0, -1):
        for _ in range(chance.randint(3, 12)):
            at = now - timedelta(days=days, minutes=chance.randint(0, 300))
            reviewer = chance.choice(_REVIEWERS)
            copy = replace(
                chance.choice(known),
                decision="review",
                id="doc_" + secrets.token_hex(16),
                booking_ref=None,
                received_at=at,
            )
            services.store.add(copy)
            services.desk.claim(copy.id, reviewer, now=at, lease=timedelta(minutes=10))
            decided = Decided(
                document_id=copy.id,
                report_number=1,
                reviewer=reviewer,
                outcome=chance.choice(outcomes),
                message="",
                note="",
                given_codes=(),
                decided_at=at + timedelta(seconds=chance.randint(8, 70)),
            )
            services.desk.decide(decided, claim_version=None, second_look=chance.random() < 0.1)


def _signed_in(
    browser: Browser, url: str, language: str, scheme: str, size: tuple[int, int]
) -> Page:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.goto(f"{url}/review/login?lang={language}")
    page.locator("#name").fill(_REVIEWERS[0])
    page.locator("#password").fill(_PASSWORD)
    page.locator("button.primary").click()
    page.wait_for_load_state()
    return page


def _try_a_photo(page: Page) -> None:
    photo = next(upload for upload in uploads() if upload.file_name == "IMG_0413.jpg")
    page.locator("#file").set_input_files(
        {"name": photo.file_name, "mimeType": "image/jpeg", "buffer": photo.data}
    )
    page.locator("#trying button.primary").click()
    page.locator(".verdict").wait_for()


def _save(screenshot: bytes, path: Path) -> None:
    image = (
        Image.open(io.BytesIO(screenshot))
        .convert("RGB")
        .quantize(_COLOURS, Image.Quantize.FASTOCTREE)
    )
    image.save(path, optimize=True)
    print(f"{path}  {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
