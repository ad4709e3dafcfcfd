"""Files that are small to send and dear to open, or that are two things at once.

Unlike those of ``bad_files`` some of them may be judged: what they may not do is cost the service
more than its limits, or be accepted. Each function returns the bytes of one file.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

from PIL import Image, PngImagePlugin

from tests.faults.bad_files import bad_files, giant_page_pdf, many_scan_jpeg
from tests.faults.minimal_pdf import image_stream, page_pdf, stream, write_pdf

_CATALOGUE = b"<< /Type /Catalog /Pages 2 0 R >>"
_PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"


def deep_page_tree_pdf(depth: int = 20_000) -> bytes:
    """A PDF whose one page lies under that many nodes of the page tree."""
    nodes = [
        b"<< /Type /Pages /Kids [%d 0 R] /Count 1 /MediaBox [0 0 595 842] >>" % number
        for number in range(3, 3 + depth)
    ]
    return write_pdf([_CATALOGUE, *nodes, b"<< /Type /Page /Parent %d 0 R >>" % (1 + depth)])


def circular_page_tree_pdf() -> bytes:
    """A PDF whose page tree holds itself."""
    return write_pdf([_CATALOGUE, b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>"])


def deep_array_pdf(depth: int = 500_000) -> bytes:
    """A PDF with a page that has arrays within arrays."""
    return page_pdf(b"", page_entries=b"/Deep " + b"[" * depth + b"]" * depth)


def forms_in_forms_pdf(levels: int = 12, copies: int = 10) -> bytes:
    """A page that draws a form ten times, which draws a form ten times … 10^12 squares."""
    forms = []
    for level in range(levels):
        inner = level + 1 < levels
        name = b"/X%d Do " % (level + 1) if inner else b"0 0 5 5 re f "
        entries = b"/Type /XObject /Subtype /Form /BBox [0 0 595 842]"
        if inner:
            entries += b" /Resources << /XObject << /X%d %d 0 R >> >>" % (level + 1, 6 + level)
        forms.append((b"X0" if level == 0 else b"", stream(name * copies, entries)))
    return page_pdf(b"/X0 Do", forms)


def form_in_itself_pdf() -> bytes:
    """A page with a form that draws itself."""
    entries = (
        b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X0 5 0 R >> >>"
    )
    return page_pdf(b"/X0 Do", [(b"X0", stream(b"/X0 Do", entries))])


def long_content_pdf(strokes: int = 2_000_000) -> bytes:
    """A small file whose page is drawn with millions of strokes."""
    content = zlib.compress(b"0 0 m 595 842 l S " * strokes, 9)
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>"
    return write_pdf([_CATALOGUE, _PAGES, page, stream(content, b"/Filter /FlateDecode")])


def object_stream_bomb_pdf(size_bytes: int = 800_000_000) -> bytes:
    """A PDF whose objects lie in a stream that inflates to gigabytes."""
    packer = zlib.compressobj(1)
    piece = b" " * 1_000_000
    pieces = (packer.compress(piece) for _ in range(size_bytes // len(piece)))
    packed = b"".join(pieces) + packer.flush()
    held = stream(packed, b"/Type /ObjStm /N 100000 /First 9 /Filter /FlateDecode")
    rows = b"".join(
        struct.pack(">BIH", *row) for row in ((0, 0, 0), (2, 4, 0), (2, 4, 1), (2, 4, 2), (1, 9, 0))
    )
    out = b"%PDF-1.7\n4 0 obj\n" + held + b"\nendobj\n"
    entries = b"/Type /XRef /Size 5 /W [1 4 2] /Root 1 0 R"
    at = len(out)
    return out + b"5 0 obj\n" + stream(rows, entries) + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % at


def filter_chain_pdf(times: int = 3) -> bytes:
    """A PDF whose picture is packed several times over: a kilobyte for every gigabyte."""
    data = bytes(400_000_000)
    for _ in range(times):
        data = zlib.compress(data, 1)
    filters = b"/Filter [%s]" % (b"/FlateDecode " * times)
    picture = image_stream(data, 20_000, 20_000, colour_space=b"/DeviceGray", bits=8, more=filters)
    return page_pdf(b"595 0 0 842 0 0 cm /X0 Do", [(b"X0", picture)])


def page_box_pdf(box: bytes) -> bytes:
    """A page of a size that no paper has."""
    page = b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /MediaBox [%s] >>" % box
    return write_pdf([_CATALOGUE, _PAGES, page, stream(b"0 0 100 100 re f")])


def user_unit_pdf() -> bytes:
    """A page of A4 whose unit is a kilometre."""
    return page_pdf(b"0 0 100 100 re f", page_entries=b"/UserUnit 2834645")


def tiff_chain(directories: int = 60_000) -> bytes:
    """A TIFF with a long chain of directories, each of a page without pixels."""
    out = bytearray(b"II*\0" + struct.pack("<I", 8))
    for number in range(directories):
        following = len(out) + 2 + 12 * 2 + 4 if number + 1 < directories else 0
        entries = struct.pack("<HHII", 256, 4, 1, 64) + struct.pack("<HHII", 257, 4, 1, 64)
        out += struct.pack("<H", 2) + entries + struct.pack("<I", following)
    return bytes(out)


def tiff_many_strips(strips: int = 1_000_000) -> bytes:
    """A TIFF that says its few pixels lie in a million strips, all at one place."""
    at = 8 + 2 + 12 * 8 + 4
    fields = (
        (256, 4, 1, 1000), (257, 4, 1, 1000), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, strips, at), (278, 4, 1, 1), (279, 4, strips, at),
    )  # fmt: skip
    head = b"II*\0" + struct.pack("<IH", 8, len(fields))
    head += b"".join(struct.pack("<HHII", *field) for field in fields) + bytes(4)
    return head + struct.pack("<I", 64) * strips


def png_text_bomb(size_bytes: int = 300_000_000) -> bytes:
    """A PNG with a compressed comment that inflates to hundreds of megabytes."""
    return _png_with(b"zTXt", b"comment\0\0" + zlib.compress(bytes(size_bytes), 9))


def png_profile_bomb(size_bytes: int = 300_000_000) -> bytes:
    """A PNG with a colour profile that inflates to hundreds of megabytes."""
    return _png_with(b"iCCP", b"profile\0\0" + zlib.compress(bytes(size_bytes), 9))


def png_many_chunks(chunks: int = 600_000) -> bytes:
    """A PNG of hundreds of thousands of empty chunks."""
    return _png_with(b"tEXt", b"a\0", chunks)


def jpeg_many_restarts() -> bytes:
    """A JPEG in which a restart marker stands behind every block."""
    out = io.BytesIO()
    noise = Image.effect_noise((1600, 1600), 90)
    noise.save(out, "JPEG", quality=30, restart_marker_blocks=1)
    return out.getvalue()


def jpeg_giant_header() -> bytes:
    """A JPEG whose header promises 65 500 pixels a side and whose data ends at once."""
    data = bytearray(_small("JPEG"))
    at = data.find(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 65_500, 65_500)
    return bytes(data)


def jpeg_then_archive() -> bytes:
    """A JPEG that is a ZIP archive as well."""
    return _small("JPEG") + b"PK\x03\x04" + bytes(500) + b"PK\x05\x06" + bytes(18)


def jpeg_then_pdf() -> bytes:
    """A JPEG with a PDF behind it."""
    return _small("JPEG") + page_pdf(b"0 0 100 100 re f")


def pdf_that_is_a_page() -> bytes:
    """A PDF whose first bytes are also HTML with a script."""
    return b"%PDF-1.7 <script>alert(1)</script>\n" + page_pdf(b"0 0 100 100 re f")


def png_that_is_a_script() -> bytes:
    """A PNG with a script in its comment and behind its end."""
    script = b"<script>alert(1)</script>"
    return _png_with(b"tEXt", b"Comment\0" + script) + script


def active_pdf() -> bytes:
    """A PDF that wants to run a script, start a program and fetch a page when it is opened."""
    actions = (
        b"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>"
        b" /AA << /WC << /S /Launch /F (/bin/true) >> >> /URI << /Base (http://127.0.0.1:9/) >>"
    )
    catalogue = b"<< /Type /Catalog /Pages 2 0 R %s >>" % actions
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"
    return write_pdf([catalogue, _PAGES, page])


def animated_png(frames: int = 200) -> bytes:
    """A PNG with an animation behind its first frame."""
    out = io.BytesIO()
    pages = [Image.new("L", (600, 800), shade % 256) for shade in range(frames)]
    pages[0].save(out, "PNG", save_all=True, append_images=pages[1:])
    return out.getvalue()


def bombs() -> dict[str, Callable[[], bytes]]:
    """Every bomb by name."""
    boxes = {
        "huge": b"0 0 1e9 1e9", "nan": b"0 0 nan nan", "negative": b"900 900 0 0",
        "nothing": b"0 0 0 0", "sliver": b"0 0 14400 0.001", "far": b"-1e30 -1e30 1e30 1e30",
        "not four": b"0 0", "endless": b"0 0 " + b"9" * 400 + b" 800",
    }  # fmt: skip

    def box(written: bytes) -> Callable[[], bytes]:
        return lambda: page_box_pdf(written)

    made = (
        deep_page_tree_pdf, circular_page_tree_pdf, deep_array_pdf, forms_in_forms_pdf,
        form_in_itself_pdf, long_content_pdf, object_stream_bomb_pdf, filter_chain_pdf,
        user_unit_pdf, giant_page_pdf, tiff_chain, tiff_many_strips, png_text_bomb,
        png_profile_bomb, png_many_chunks, jpeg_many_restarts, jpeg_giant_header,
        jpeg_then_archive, jpeg_then_pdf, pdf_that_is_a_page, png_that_is_a_script, active_pdf,
        animated_png,
    )  # fmt: skip
    files: dict[str, Callable[[], bytes]] = {each.__name__: each for each in made}
    files |= {f"page_box_{name}_pdf": box(written) for name, written in boxes.items()}
    files["many_scan_jpeg_within_limits"] = lambda: many_scan_jpeg(64, side_px=4000)
    return files


def everything() -> dict[str, Callable[[], bytes]]:
    """Every bomb and every bad file."""
    return bombs() | {name: make for name, (make, _) in bad_files().items()}


def _small(kind: str) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((600, 800)).save(out, kind)
    return out.getvalue()


def _png_with(kind: bytes, body: bytes, times: int = 1) -> bytes:
    data = _small("PNG")
    out = io.BytesIO()
    PngImagePlugin.putchunk(out, kind, body)
    return data[:33] + out.getvalue() * times + data[33:]
