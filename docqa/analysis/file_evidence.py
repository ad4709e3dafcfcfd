"""What a file says about the device that made it.

Metadata is easy to lose and easy to forge, so it works in one direction: the trace of a camera or
a scanner app is near proof against a scanner, while the name of a scanner is only a hint for one,
save in two levels, where pixels say nothing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from docqa.analysis.capture_evidence import Evidence
from docqa.analysis.device_names import MAKES_OF_BOTH, SCANNER_MAKES, SCANNER_MODELS, device_of
from docqa.analysis.formats import FORMATS_MM
from docqa.page import Origin, Page

SCANNER_PROGRAMS = re.compile(
    r"naps2|paperstream|scansnap|scandall|vrs\b|twain|wia-|scan assistant|adobe psl"
    r"|pdf scan library|smart touch|paper capture|mfpimglib|vuescan|silverfast|simple-scan|xsane"
    r"|capture ?perfect|mp navigator"
)
"""Programs that drive a scanner."""
SCANNER_APPS = re.compile(
    r"camscanner|intsig|adobe scan|genius scan|office lens|microsoft lens|scanbot|swiftscan"
    r"|tapscanner|tiny ?scanner|clear ?scan|vflat|turboscan|scanner pro\b|notebloc|fairscan"
    r"|ios version|iphone|ipad|android|photo ?scan|doc ?scanner|^notes$|mobile scan"
)
"""Apps and phones that crop and whiten camera pictures."""
SCREENSHOT_PROGRAMS = re.compile(
    r"screenshot|snipaste|snipping|greenshot|sharex|lightshot|flameshot"
)

PAPER_SIZES_MM = tuple(FORMATS_MM[name][:2] for name in ("a4", "a5", "letter", "legal", "id-1"))
SCAN_PPI = (150, 200, 240, 300, 400, 600)
PAPER_SIZES_PX = tuple(
    (ppi, min(size) / 25.4 * ppi, max(size) / 25.4 * ppi)
    for ppi in SCAN_PPI
    for size in PAPER_SIZES_MM
)
"""Density, shorter and longer side."""
PAPER_TOLERANCE_PX, PAPER_CHANCE_PX = 6, 2
"""How far both sides may be off where the file's density is the same or not stated, and where it is
another: a program may have fitted the scan to a page of other size."""
LINE_LOSS_PX, LINE_LOSS_FRACTION = 32, 0.01
"""So much, and no more of the shorter side, may one side be short when the other is exact: many
scanners end a line at a whole byte or word."""
CAMERA_ASPECTS = (4 / 3, 16 / 9)
ASPECT_TOLERANCE = 0.002
SMALLEST_CAMERA_SIDE_PX = 1200
SCREEN_SIZES_PX = frozenset(
    {
        *((720, n) for n in (1280, 1520, 1544, 1560, 1600)),
        *((1080, n) for n in (1920, 2160, 2220, 2280, 2310, 2340, 2376, 2400, 2408, 2412, 2460)),
        *((1440, n) for n in (2560, 2880, 2960, 3040, 3088, 3120, 3200)),
        *((640, 1136), (750, 1334), (828, 1792), (1125, 2436), (1242, 2208), (1242, 2688)),
        *((1170, 2532), (1179, 2556), (1206, 2622), (1284, 2778), (1290, 2796), (1320, 2868)),
        *((768, 1366), (900, 1440), (900, 1600), (1050, 1680), (1200, 1920), (800, 1280)),
        *((1536, 2048), (1620, 2160), (1640, 2360), (1668, 2388), (2048, 2732), (2160, 3840)),
    }
)
"""Width and height, smaller first, of common phone, tablet and desktop displays."""

MESSENGER_SIDES_PX = frozenset({960, 1280, 1600, 2048, 2560})
"""Longer side of a picture that a messenger or social network shrank, which it saves as progressive
JPEG: Telegram's interface names 1280 and 2560, Facebook's 2048; the others were seen as well."""
LEAST_PROGRESSIVE_SCANS = 4
"""A JPEG of three components has up to three scans without being progressive."""

CAMERA_FILE_CAP = 0.02
APP_FILE_CAP = 0.05
MESSENGER_FILE_CAP = 0.2
"""Of 303 real files 22 are so: 16 photographs, 6 pictures of screens, no scan. A scan may be sent
so, too, but then there is a better file of it."""
FILE_CEILING = 0.75
"""Up to here, and no further, may a scanner's metadata lift a page."""
FILE_LIFT_LOGITS = 0.7
WEAK_CAMERA_WEIGHT = 1.5


@dataclass(frozen=True, slots=True)
class FileEvidence:
    """Evidence codes by what they speak for."""

    camera: tuple[Evidence, ...]
    app: tuple[Evidence, ...]
    screenshot: tuple[Evidence, ...]
    scanner: tuple[Evidence, ...]
    weak_camera: tuple[Evidence, ...]
    """Hints that also occur on scans."""
    messenger: tuple[Evidence, ...]
    """The picture was shrunk and encoded anew on its way."""
    is_scanner_container: bool
    """A TIFF, or a picture in a PDF: what scanners write pages of two levels to."""

    @property
    def names_scanner_of_two_levels(self) -> bool:
        """Whether a page of two levels is a scanner's by its file; apps write PNG or JPEG."""
        sure = {"exif_scanner", "pdf_producer_scanner", "exact_paper_size"}
        return self.is_scanner_container or bool(sure & set(self.scanner))


def with_file(pixels: float, file: FileEvidence) -> float:
    """The probability of a scanner that the pixels give, moved by what the file says."""
    if file.camera:
        return min(pixels, CAMERA_FILE_CAP)
    if file.app or file.screenshot:
        return min(pixels, APP_FILE_CAP)
    step = FILE_LIFT_LOGITS * (len(file.scanner) - WEAK_CAMERA_WEIGHT * len(file.weak_camera))
    inner = min(max(pixels, 1e-6), 1 - 1e-6)
    moved = 1 / (1 + math.exp(-(math.log(inner / (1 - inner)) + step)))
    told = moved if moved <= pixels else max(pixels, min(moved, FILE_CEILING))
    return min(told, MESSENGER_FILE_CAP) if file.messenger else told


def file_evidence(page: Page) -> FileEvidence:
    """Sort what the file says. Never raises; absent metadata is no evidence."""
    origin = page.origin
    short, long = sorted((page.width_px, page.height_px))
    named = (origin.software, origin.pdf_producer, origin.pdf_creator)
    programs = [_lower(program) for program in named if program]
    scanner: list[Evidence] = []
    app: list[Evidence] = (
        ["pdf_producer_app"] if any(SCANNER_APPS.search(p) for p in programs) else []
    )
    shot: list[Evidence] = []
    if any(SCREENSHOT_PROGRAMS.search(p) for p in programs):
        shot.append("screenshot_program")
    if origin.format == "png" and (short, long) in SCREEN_SIZES_PX:
        shot.append("screenshot_size")
    if not app and any(_names_scanner(p) for p in programs):
        scanner.append("pdf_producer_scanner")
    is_paper = _has_own_size(origin) and _exact_paper(origin, short, long)
    if is_paper:
        scanner.append("exact_paper_size")
    is_usual = origin.ppi_tag and min(abs(origin.ppi_tag - ppi) for ppi in SCAN_PPI) < 1
    if is_usual and (origin.is_ppi_own or is_paper):
        scanner.append("density_tag")
    camera, device = _device(origin, speaks_for_scanner=bool(scanner))
    weak: list[Evidence] = ["phone_aspect_ratio"] if _camera_aspect(short, long) else []
    sent: list[Evidence] = ["messenger_picture"] if _was_sent(origin, long) else []
    contained = origin.format == "tiff" or (
        origin.format == "pdf" and origin.pdf_layering != "rendered"
    )
    return FileEvidence(
        camera, tuple(app), tuple(shot), (*device, *scanner), tuple(weak), tuple(sent), contained
    )


def _device(
    origin: Origin, *, speaks_for_scanner: bool
) -> tuple[tuple[Evidence, ...], tuple[Evidence, ...]]:
    """What the tags say for a camera, and for a scanner.

    A maker that nobody knows is taken for a camera's only where nothing else in the file speaks for
    a scanner: all-in-one printers of many makers write their names as well.
    """
    make = _lower(origin.make)
    device = device_of(make, _lower(origin.model)) if make else None
    camera: list[Evidence] = []
    if device == "camera" or (device == "unknown" and not speaks_for_scanner):
        camera.append("exif_make")
    if origin.states_exposure:
        camera.append("exif_exposure")
    is_scanner = device == "scanner" and not origin.states_exposure
    scanner: list[Evidence] = ["exif_scanner"] if is_scanner else []
    return tuple(camera), tuple(scanner)


def _lower(name: str | None) -> str:
    return (name or "").strip().lower()


def _names_scanner(program: str) -> bool:
    known = (SCANNER_PROGRAMS, SCANNER_MAKES, SCANNER_MODELS, MAKES_OF_BOTH)
    return any(names.search(program) for names in known)


def _has_own_size(origin: Origin) -> bool:
    """Whether the pixels are a picture's, and not those that a page was drawn with."""
    return origin.is_ppi_own or origin.pdf_layering not in ("marked", "rendered")


def _exact_paper(origin: Origin, short: int, long: int) -> bool:
    """The size of a paper format at a scanner's density, to within a few pixels."""
    for ppi, paper_short, paper_long in PAPER_SIZES_PX:
        excess_px = (short - paper_short, long - paper_long)
        if abs(excess_px[0]) > LINE_LOSS_PX or abs(excess_px[1]) > LINE_LOSS_PX:
            continue
        is_stated = not origin.ppi_tag or abs(origin.ppi_tag - ppi) < 1
        if _is_paper(excess_px, short, is_stated=is_stated):
            return True
    return False


def _is_paper(excess_px: tuple[float, float], short: int, *, is_stated: bool) -> bool:
    """Whether sides so much too long are a format's at a density that the file states, or not."""
    near, far = sorted(abs(side) for side in excess_px)
    if not is_stated:
        return far <= PAPER_CHANCE_PX
    loses_line = near <= PAPER_CHANCE_PX and min(excess_px) == -far
    line_loss_px = min(LINE_LOSS_PX, LINE_LOSS_FRACTION * short) if loses_line else 0.0
    return far <= max(PAPER_TOLERANCE_PX, line_loss_px)


def _was_sent(origin: Origin, long: int) -> bool:
    return origin.jpeg_scans >= LEAST_PROGRESSIVE_SCANS and long in MESSENGER_SIDES_PX


def _camera_aspect(short: int, long: int) -> bool:
    aspect = long / short
    exact = any(abs(aspect - known) <= ASPECT_TOLERANCE for known in CAMERA_ASPECTS)
    return exact and long >= SMALLEST_CAMERA_SIDE_PX
