from __future__ import annotations

import numpy as np
import pytest

from docqa.analysis.capture_evidence import Evidence
from docqa.analysis.file_evidence import MESSENGER_FILE_CAP, file_evidence, with_file
from docqa.page import Layering, Origin, page_from_pixels


@pytest.mark.parametrize(
    ("width_px", "height_px", "ppi_tag", "is_paper"),
    [
        (2480, 3508, None, True),
        (3508, 2480, 300.0, True),
        (2484, 3503, 300.0, True),  # a few pixels off
        (2490, 3508, 300.0, False),  # too wide: no scanner adds to a line
        (2528, 3300, None, True),  # Letter, lines of 79 words of 32 bits
        (2528, 3300, 300.0, True),
        (2515, 3300, 300.0, False),  # lines too short for that
        (1680, 2200, None, False),  # 20 px are too much of a short line
        (2528, 3290, None, False),  # both sides short: any crop may be so
        (2550, 4200, 381.8, True),  # Legal, fitted to a Letter page of a PDF
        (2528, 4200, 381.8, False),  # not exact, and the file says otherwise
        (1659, 2344, 72.0, False),
        (3000, 4000, 72.0, False),
    ],
)
def test_paper_sizes_are_told_from_chance(
    width_px: int, height_px: int, ppi_tag: float | None, is_paper: bool
) -> None:
    page = page_from_pixels(
        np.full((height_px, width_px), 255, np.uint8),
        origin=Origin("png", "image/png", ppi_tag=ppi_tag),
    )
    assert ("exact_paper_size" in file_evidence(page).scanner) == is_paper


@pytest.mark.parametrize(
    ("width_px", "height_px", "jpeg_scans", "was_sent"),
    [
        (2048, 1078, 10, True),
        (1180, 1600, 10, True),
        (1180, 1600, 1, False),  # baseline: a camera's or a scanner's own
        (1600, 2048, 3, False),  # one scan per component, and not progressive
        (1100, 1700, 10, False),  # of no messenger's size
        (2048, 3000, 10, False),  # it is the longer side that they limit
    ],
)
def test_a_picture_that_a_messenger_shrank_is_looked_at_by_a_person(
    width_px: int, height_px: int, jpeg_scans: int, was_sent: bool
) -> None:
    page = page_from_pixels(
        np.full((height_px, width_px), 255, np.uint8),
        origin=Origin("jpeg", "image/jpeg", jpeg_scans=jpeg_scans),
    )
    found = file_evidence(page)
    assert bool(found.messenger) == was_sent
    assert (with_file(0.99, found) <= MESSENGER_FILE_CAP) == was_sent
    assert with_file(0.05, found) == pytest.approx(0.05)


def device_evidence(
    make: str | None, model: str | None, *, states_exposure: bool = False, ppi_tag: float | None
) -> set[Evidence]:
    """What a page of no paper's size and its device's names say of the device."""
    origin = Origin(
        "jpeg",
        "image/jpeg",
        make=make,
        model=model,
        has_exif=True,
        states_exposure=states_exposure,
        ppi_tag=ppi_tag,
    )
    found = file_evidence(page_from_pixels(np.full((700, 500), 255, np.uint8), origin=origin))
    return {*found.camera, *found.scanner} - {"density_tag"}


@pytest.mark.parametrize(
    ("make", "model"),
    [
        ("Canon", "CanoScan LiDE 400"),
        ("Canon", "MG3600 series"),
        ("Canon", "Canon MP280 series"),
        ("Canon", "TS3300 series"),
        ("Canon", "G3010 series"),
        ("Canon", "TR4500"),
        ("Hewlett-Packard", "HP psc1400"),
        ("Hewlett-Packard", "HP pstc4400"),
        ("HP", "HP ENVY 4500 series"),
        ("HP", "HP Smart Tank 510 series"),
        ("HP", "HP Photosmart C4400 series"),
        ("HP", "HP LaserJet MFP M28w"),
        ("HP", "HP OfficeJet Pro 8020 series"),
        ("HP", "HP Scanjet 4850"),
        ("Samsung", "SCX-4200 Series"),
        ("SAMSUNG", "M2070 Series"),
        ("Panasonic", "KV-S1025C"),
        ("KODAK", "i2600"),
        ("Kodak", "Scanner: i1220"),
        ("EPSON", "ET-2700 Series"),
        ("Brother", "DCP-L2540DW"),
        ("Xerox", "WorkCentre 3025"),
        ("RICOH", "IM 2702"),
        ("RICOH", "Aficio MP C2500"),
        ("Lexmark", "X1100 Series"),
        ("FUJITSU", "fi-7160"),
        ("PFU", "ScanSnap iX1500"),
        ("Kyocera", "TASKalfa 3252ci"),
        ("KYOCERA", "FS-1135MFP"),
        ("KONICA MINOLTA", "bizhub C280"),
        ("TOSHIBA", "e-STUDIO355"),
        ("Microtek", "ScanMaker i800"),
        ("Nikon", "SUPER COOLSCAN 5000 ED"),
        # by the maker alone
        ("PFU LIMITED", "S1300"),
        ("Plustek", "OpticBook 3800"),
        ("Kodak Alaris", "S2050"),
        ("Xerox", "B225"),
        ("RICOH", "fi-70F"),
        ("Lexmark", "CX331adwe"),
        ("Avision", "AV220D2"),
        ("KMBT_C224", "C224"),
        ("Lanier", "LD122"),
        ("Savin", "9025"),
        ("Visioneer", "RoadWarrior"),
        ("Regula", "7024"),
        ("Contex", "HD Ultra"),
        ("Pantum", "M6500"),
        # by the model alone
        ("Canon", "imageRUNNER 2520"),
        ("Canon", "imageCLASS D570"),
        ("Canon", "Canon MX922"),
        ("HP", "LaserJet 3055"),
        ("HP", "DeskJet 2700"),
        ("Unheard Of", "WorkCentre 3025"),
        ("Unheard Of", "Perfection V39"),
        ("KYOCERA", "ECOSYS M2040dn"),
        ("Unheard Of", "Aficio 2018"),
        ("Mustek", "BearPaw 2448"),
    ],
)
def test_names_of_scanners_and_of_printers_that_scan_are_scanners(make: str, model: str) -> None:
    assert device_evidence(make, model, ppi_tag=None) == {"exif_scanner"}


@pytest.mark.parametrize("ppi_tag", [72.0, 300.0])
@pytest.mark.parametrize(
    ("make", "model"),
    [
        ("Apple", "iPhone 13 Pro"),
        ("samsung", "SM-G975U"),
        ("SAMSUNG", "GT-I9505"),
        ("Xiaomi", "Redmi Note 8"),
        ("HUAWEI", "CLT-L29"),
        ("HONOR", "SCM-W09"),
        ("OPPO", "CPH2211"),
        ("realme", "RMX3085"),
        ("vivo", "vivo 1904"),
        ("Google", "Pixel 6"),
        ("OnePlus", "IN2013"),
        ("motorola", "moto g(7) power"),
        ("INFINIX MOBILITY LIMITED", "Infinix X6816"),
        ("TECNO MOBILE LIMITED", "TECNO KI5q"),
        ("itel", "itel A665L"),
        ("HMD Global", "Nokia 5.4"),
        ("Sony", "XQ-BC72"),
        ("Sony Ericsson", "W660i"),
        ("LGE", "Nexus 5X"),
        ("LG Electronics", "LG-H870"),
        ("HTC", "HTC One_M8"),
        ("asus", "ASUS_X00TD"),
        ("Canon", "Canon EOS 5D"),
        ("Canon", "Canon PowerShot G7 X Mark II"),
        ("Canon", "Canon MV900"),
        ("NIKON CORPORATION", "NIKON D750"),
        ("FUJIFILM", "FinePix2600Zoom"),
    ],
)
def test_names_of_phones_and_cameras_are_a_cameras_whatever_density_is_stated(
    make: str, model: str, ppi_tag: float
) -> None:
    assert device_evidence(make, model, ppi_tag=ppi_tag) == {"exif_make"}


@pytest.mark.parametrize("ppi_tag", [72.0, 300.0])
@pytest.mark.parametrize(
    ("make", "model"),
    [
        ("KYOCERA", "KC-S701"),
        ("KONICA MINOLTA", "DiMAGE Z5"),
        ("TOSHIBA", "PDR-M700"),
        ("FUJITSU", "F-02H"),
        ("Mustek", "DV5300"),
        ("Microtek", "Take-it D1"),
    ],
)
def test_a_maker_of_phones_and_of_copiers_is_a_scanners_by_its_model_only(
    make: str, model: str, ppi_tag: float
) -> None:
    assert device_evidence(make, model, ppi_tag=ppi_tag) == set()


@pytest.mark.parametrize("model", ["PhotoPC 3100Z", "R-D1", "L-500V"])
def test_a_camera_of_epsons_is_no_scanner(model: str) -> None:
    assert device_evidence("SEIKO EPSON CORP.", model, ppi_tag=72.0) == {"exif_make"}


@pytest.mark.parametrize("model", ["hp PhotoSmart 43x series", "HP PhotoSmart C945 (V01.60)"])
def test_a_camera_of_a_printers_maker_is_no_scanner(model: str) -> None:
    assert device_evidence("Hewlett-Packard", model, ppi_tag=72.0) == {"exif_make"}


@pytest.mark.parametrize(("ppi_tag", "says"), [(300.0, set()), (72.0, {"exif_make"})])
def test_a_maker_that_nobody_knows_says_nothing_against_a_scanners_file(
    ppi_tag: float, says: set[Evidence]
) -> None:
    for make, model in (("Dell", "Dell 1135n"), ("Specimen", "SC-1"), ("Unheard Of", "X1")):
        assert device_evidence(make, model, ppi_tag=ppi_tag) == says


@pytest.mark.parametrize("make", [None, "Specimen", "EPSON"])
def test_an_exposure_is_a_cameras_whatever_the_names_say(make: str | None) -> None:
    found = device_evidence(make, "X1", states_exposure=True, ppi_tag=300.0)
    assert found == {"exif_exposure"}
    both = device_evidence("Apple", "iPhone 7", states_exposure=True, ppi_tag=72.0)
    assert both == {"exif_make", "exif_exposure"}


PROGRAMS = {
    "pdf_producer_scanner": (
        "NAPS2 7.1", "PaperStream Capture", "ScanSnap Manager", "ScandAll PRO", "Kofax VRS",
        "TWAIN driver", "WIA-HP", "Canon IJ Scan Assistant", "Adobe PSL 1.3e for Canon",
        "PDF Scan Library 2.3", "Smart Touch", "Paper Capture Plug-in", "MFPImgLib", "VueScan 9",
        "SilverFast 8", "simple-scan", "XSane 0.999", "CapturePerfect 3.1", "Capture Perfect",
        "MP Navigator EX", "Plustek", "KONICA MINOLTA 423",
    ),
    "pdf_producer_app": (
        "CamScanner", "intsig.com", "Adobe Scan", "Genius Scan", "Office Lens",
        "Microsoft Lens", "Scanbot", "SwiftScan", "TapScanner", "Tiny Scanner", "TinyScanner",
        "Clear Scan", "vFlat", "TurboScan", "Scanner Pro", "Notebloc", "FairScan",
        "iOS Version 16.1 Quartz PDFContext", "iPhone", "iPad", "Android", "PhotoScan",
        "Doc Scanner", "Notes", "Mobile Scan",
    ),
    "screenshot_program": (
        "Screenshot", "Snipaste", "Snipping Tool", "Greenshot", "ShareX", "Lightshot", "Flameshot",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("program", "says"),
    [(program, says) for says, programs in PROGRAMS.items() for program in programs],
)
def test_programs_are_told_by_their_names(program: str, says: str) -> None:
    origin = Origin("jpeg", "image/jpeg", software=program)
    found = file_evidence(page_from_pixels(np.full((700, 500), 255, np.uint8), origin=origin))
    assert (*found.scanner, *found.app, *found.screenshot) == (says,)


@pytest.mark.parametrize(
    ("size_px", "is_hint"),
    [((900, 1200), True), ((1080, 1920), True), ((897, 1196), False), ((1100, 1300), False)],
)
def test_a_cameras_shape_is_a_hint_where_it_is_as_large_as_cameras_make_it(
    size_px: tuple[int, int], is_hint: bool
) -> None:
    for shape in (size_px, size_px[::-1]):
        found = file_evidence(page_from_pixels(np.full(shape, 255, np.uint8)))
        assert found.weak_camera == (("phone_aspect_ratio",) if is_hint else ())


@pytest.mark.parametrize(
    ("layering", "size_px", "ppi_tag", "is_ppi_own", "found"),
    [
        (None, (1000, 1500), 300.0, True, {"density_tag"}),
        ("image", (1000, 1500), 300.0, True, {"density_tag"}),
        ("image", (1000, 1500), 300.0, False, set()),  # somebody placed it so
        ("image", (2480, 3508), 300.0, False, {"density_tag", "exact_paper_size"}),
        ("layered", (1000, 1500), 300.0, False, set()),
        ("layered", (2480, 3508), 300.0, False, {"density_tag", "exact_paper_size"}),
        ("marked", (2480, 3508), 300.0, True, {"density_tag", "exact_paper_size"}),
        ("marked", (2480, 3508), 300.0, False, set()),  # the page was drawn so
        ("rendered", (2480, 3508), 300.0, False, set()),
    ],
)
def test_a_density_that_nobody_but_a_page_gives_is_no_scanners(
    layering: Layering | None,
    size_px: tuple[int, int],
    ppi_tag: float,
    is_ppi_own: bool,
    found: set[str],
) -> None:
    page = page_from_pixels(
        np.full(size_px[::-1], 255, np.uint8),
        origin=Origin(
            "pdf" if layering else "jpeg",
            "",
            ppi_tag=ppi_tag,
            is_ppi_own=is_ppi_own,
            pdf_layering=layering,
        ),
    )
    assert set(file_evidence(page).scanner) == found
