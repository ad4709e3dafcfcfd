"""Engines whose one measure does what decoders of untrusted bytes can do: crash, hang, hoard."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
from functools import partial
from pathlib import Path

from docqa.catalogue import parse_catalogue
from docqa.documents import DocumentType
from docqa.errors import InvalidDocument
from docqa.intake import Limits
from docqa.measures.skew import Skew
from docqa.page import Page
from docqa.pipeline import Engine
from docqa.policy import Policy, Rule

MODELS = Path(__file__).parent.parent.parent / "models"


def straight(page: Page) -> Skew:
    """Every page is straight."""
    return Skew(angle_deg=0.0, confidence=1.0)


def crash(page: Page) -> Skew:
    """What a memory error in a decoder looks like."""
    os.kill(os.getpid(), signal.SIGSEGV)
    return straight(page)


def exit_quietly(page: Page) -> Skew:
    """The process ends without a word."""
    os._exit(0)


def hang(page: Page) -> Skew:
    """Never comes back."""
    while True:
        pass


def tell_and_hang(page: Page, *, fifo: str) -> Skew:
    """Writes its process id to a named pipe, then never comes back."""
    Path(fifo).write_text(str(os.getpid()))
    return hang(page)


def await_program(page: Page, *, fifo: str) -> Skew:
    """Waits for an outside program that writes its process id to a named pipe, then hangs."""
    subprocess.run(["sh", "-c", 'echo $$ > "$0"; exec sleep 600', fifo], check=True)
    return hang(page)


def hoard(page: Page) -> Skew:
    """Wants more memory than any child may have."""
    hoarded = bytearray(1 << 40)
    return straight(page) if hoarded else hang(page)


def raise_bug(page: Page) -> Skew:
    """A mistake in a measure, with something personal in its message."""
    raise RuntimeError("02012345678")


def refuse(page: Page) -> Skew:
    """A page that turns out to be damaged only while it is decoded."""
    raise InvalidDocument("file.too_many_pixels", limit=1, actual=2)


def look_around(page: Page) -> Skew:
    """Tells which process this is, and how many engines its garbage collector looks through."""
    engines = sum(isinstance(found, Engine) for found in gc.get_objects())
    raise InvalidDocument("file.too_many_pixels", pid=os.getpid(), engines=engines)


FAULTS = {
    function.__name__: function
    for function in (straight, crash, exit_quietly, hang, hoard, raise_bug, refuse, look_around)
}
TELLING_FAULTS = {function.__name__: function for function in (tell_and_hang, await_program)}


def build(fault: str) -> Engine:
    """An engine with one measure, called skew, that does ``fault``: a name in FAULTS, or one in
    TELLING_FAULTS with ``:<path of a named pipe>``.
    """
    name, _, fifo = fault.partition(":")
    take = partial(TELLING_FAULTS[name], fifo=fifo) if fifo else FAULTS[name]
    reasons = {code: (MODELS / f"reasons/{code}.toml").read_text() for code in ("ar", "en")}
    rule = Rule("skew", "angle_deg", "deg", "geometry.skew", 1.0, 5.0, 0.0, "provisional")
    return Engine(
        policy=Policy("faults", "sha256:0", (rule,), {}, {}),
        document_types={"a4-generic": DocumentType("a4-generic", "ورقة", "sheet", 210, 297, ())},
        catalogue=parse_catalogue(reasons),
        measures={"skew": take},
        limits=Limits(),
        ocr=None,
        renderer=None,
        version="0",
        digest="sha256:1",
    )


def build_unless(obstacle: Path) -> Engine:
    """The engine whose pages are straight; none while there is a file, which counts the tries."""
    if obstacle.exists():
        with obstacle.open("ab") as tries:
            tries.write(b".")
        raise OSError("in the way")
    return build("straight")
