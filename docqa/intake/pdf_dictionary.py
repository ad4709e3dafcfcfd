"""The dictionaries of streams, looked up in a PDF file: PDFium does not show them.

A stream's dictionary stands as plain text in front of its data; that of an encrypted stream is not
found, since PDFium gives its data decrypted.
"""

from __future__ import annotations

import re

_WITHIN = 4096
_MAX_CANDIDATES = 2_000
"""Places where a stream's first bytes stand; in a file of more the stream counts as not found."""
_CODED = re.compile(rb"#([0-9A-Fa-f]{2})")
"""A character of a name (ISO 32000-1, 7.3.5)."""
_LAYER = re.compile(rb"/(?:O|#4[Ff])(?:C|#43)(?:[\s\0]{0,64}(?:<<|\d|%)|[\s\0]{65})")
"""The entry that puts a picture or a form on a layer, a reference or a dictionary; not the operator
of that name. What hides behind a comment or much space counts as one."""
_MASK = re.compile(rb"/(?:SMask|Mask)\s+(\d+)\s+\d+\s+R")
_SPECIAL = re.compile(rb"/(?:SMask|Mask|SMaskInData|OC|ImageMask|ColorTransform)\b")
_DECODE = re.compile(rb"/Decode\b(?:\s*\[([^\]]*)\])?")


def of_stream(data: bytes, stored: bytes) -> bytes | None:
    """The dictionary in front of a stream whose bytes as stored are given.

    Of streams of the same bytes nobody can tell which one a page draws: their dictionaries are
    given together, and none where the dictionary of one is not found.
    """
    head = stored[:64]
    found: list[bytes] = []
    at = data.find(head) if len(head) >= 16 else -1
    for _ in range(_MAX_CANDIDATES):
        if at < 0:
            break
        if data.startswith(stored, at):
            before = data[max(at - _WITHIN, 0) : at].rstrip(b"\r\n")
            start = before.rfind(b" obj")
            if start < 0 or not before.endswith(b"stream"):
                return None
            found.append(before[start:])
        at = data.find(head, at + 1)
    if at >= 0:
        return None
    joined = b"".join(found)
    return _CODED.sub(lambda code: bytes([int(code[1], 16)]), joined) if found else None


def is_special(dictionary: bytes) -> bool:
    """Whether a picture has a mask, a colour key or a layer, or its colours are meant otherwise."""
    return bool(_SPECIAL.search(dictionary))


def keeps_values(dictionary: bytes) -> bool:
    """Whether a picture's sample values are not mapped to others, as far as can be told."""
    mappings = (mapping.split() for mapping in _DECODE.findall(dictionary))
    return all(mapping in ([b"0", b"1"], [b"0", b"1"] * 3) for mapping in mappings)


def names_layer(data: bytes) -> bool:
    """Whether a dictionary, or any in a file, puts what it describes on a layer."""
    return bool(_LAYER.search(data))


def mask_size(data: bytes, dictionary: bytes | None) -> tuple[int, int] | None:
    """Width and height in pixels of the mask that belongs to a picture, if it has one."""
    mask = _MASK.search(dictionary or b"")
    if mask is None:
        return None
    found = re.search(rb"\b%s\s+\d+\s+obj(.{0,2000}?)stream" % mask[1], data, re.DOTALL)
    sizes = [
        re.search(rb"/%s\s+(\d{1,6})" % side, found[1] if found else b"")
        for side in (b"Width", b"Height")
    ]
    width, height = (int(size[1]) if size else 0 for size in sizes)
    return width, height
