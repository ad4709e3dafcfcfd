"""OcrEngine on Tesseract, by pytesseract.

All lines of a call go to one process in Tesseract's list-file mode: starting it and loading the
language costs about as much as reading eight lines. Meanwhile the pictures of the lines
and what is read from them lie in the temporary folder: pytesseract hands over files.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import cv2
import pytesseract

from docqa.errors import EngineFault, MissingDependency
from docqa.page import Pixels

PAGE_SEGMENTATION_MODE = {"line": 7, "raw_line": 13, "block": 6}
_DEBIAN_PACKAGES = {
    "ara": "tesseract-ocr-ara",
    "eng": "tesseract-ocr-eng",
    "script/Arabic": "tesseract-ocr-script-arab",
}
_PAGE_END = "\f"
_QUOTED = re.compile(r'"(.+)"')


class TesseractEngine:
    """Reads lines with the Tesseract program.

    Args:
        command: the program, by name or path.
        timeout_s: how long one call may take, for all its lines together.
    """

    def __init__(self, *, command: str = "tesseract", timeout_s: float = 30.0) -> None:
        self.command = command
        self.timeout_s = timeout_s
        self._languages: dict[str, str] = {}
        self._folder: Path | None = None
        # Tesseract's own threads fight over the cores: on 2 cores unlimited ones are 10-20 times
        # slower once two processes read at the same time.
        os.environ.setdefault("OMP_THREAD_LIMIT", "1")

    def read_lines(
        self,
        lines: Sequence[Pixels],
        *,
        language: str,
        layout: Literal["line", "raw_line", "block"],
    ) -> list[str]:
        """The text of each line picture; see :class:`docqa.ports.OcrEngine`."""
        if not lines:
            return []
        installed_name = self._installed_name(language)
        with tempfile.TemporaryDirectory(prefix="docqa-ocr-") as folder:
            pictures = [_write_picture(Path(folder), *item) for item in enumerate(lines)]
            listing = Path(folder, "list.txt")
            listing.write_text("\n".join(map(str, pictures)), encoding="utf-8")
            text = self._run(listing, installed_name, PAGE_SEGMENTATION_MODE[layout])
        pages = text.split(_PAGE_END)
        if len(pages) == len(lines) + 1 and not pages[-1].strip():
            pages.pop()  # before 5.0 the mark also followed the last page
        if len(pages) != len(lines):
            raise EngineFault(f"Tesseract answered {len(pages)} lines of {len(lines)}")
        return [page.strip() for page in pages]

    def version(self) -> str:
        """Such as ``tesseract 5.3.0 (Arabic, ara, eng)``."""
        first_line = self._ask("--version").partition("\n")[0].strip()
        return f"{first_line} ({', '.join(self.languages())})"

    def languages(self) -> list[str]:
        """What is installed, by the names docqa uses."""
        return sorted(self._installed())

    def data_of(self, language: str) -> tuple[Path, str]:
        """The folder of the installed languages, and the language's name in it.

        Raises EngineFault and MissingDependency.
        """
        name = self._installed_name(language)
        if self._folder is None:
            raise EngineFault("tesseract --list-langs does not say where the languages are")
        return self._folder, name

    def _run(self, listing: Path, language: str, mode: int) -> str:
        pytesseract.pytesseract.tesseract_cmd = self.command
        # ``from None``: what the engine wrote may hold text of the document, and logs print causes.
        try:
            return str(
                pytesseract.image_to_string(
                    str(listing), lang=language, config=f"--psm {mode}", timeout=self.timeout_s
                )
            )
        except pytesseract.TesseractNotFoundError:
            raise _not_installed() from None
        except pytesseract.TesseractError as error:
            raise EngineFault(f"Tesseract failed with status {error.status}") from None
        except UnicodeDecodeError:
            raise EngineFault("Tesseract answered with bytes that are not UTF-8") from None
        except OSError as error:
            raise EngineFault(f"Tesseract left no answer ({type(error).__name__})") from None
        except RuntimeError:
            raise EngineFault(f"Tesseract took longer than {self.timeout_s:g} s") from None

    def _installed_name(self, language: str) -> str:
        installed = self._installed()
        if language not in installed:
            package = _DEBIAN_PACKAGES.get(language, f"tesseract-ocr-{language}")
            raise MissingDependency(
                f"the Tesseract language {language!r}", f"apt-get install {package}"
            )
        return installed[language]

    def _installed(self) -> dict[str, str]:
        """Installed languages by the name docqa uses. pytesseract's own list omits the scripts."""
        if not self._languages:
            heading, *names = map(str.strip, self._ask("--list-langs").splitlines() or [""])
            quoted = _QUOTED.search(heading)
            self._folder = Path(quoted[1]) if quoted else None
            self._languages = {name: name for name in names if name}
            # Debian puts the script models beside the languages, upstream in a folder.
            for name in [name for name in self._languages if name[0].isupper()]:
                self._languages.setdefault(f"script/{name}", name)
        return self._languages

    def _ask(self, option: str) -> str:
        try:
            answer = subprocess.run(
                [self.command, option],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=self.timeout_s,
                check=True,
            )
            return answer.stdout.decode("utf-8")
        except FileNotFoundError:
            raise _not_installed() from None
        except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
            raise EngineFault(f"tesseract {option} failed ({type(error).__name__})") from None


def _write_picture(folder: Path, number: int, line: Pixels) -> Path:
    picture = folder / f"{number}.png"
    encoded, data = cv2.imencode(".png", line, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not encoded:
        raise EngineFault("a line picture could not be written as PNG")
    picture.write_bytes(data.tobytes())
    return picture


def _not_installed() -> MissingDependency:
    return MissingDependency("Tesseract", "apt-get install tesseract-ocr")
