"""Changes files and texts at random: their bytes, and the pieces that they are made of."""

from __future__ import annotations

import random
import re
import struct
import zlib
from collections.abc import Callable, Sequence

_NUMBERS = (b"0", b"-1", b"1", b"255", b"65535", b"2147483648", b"99999999999", b"1e99", b"0.00001")
_EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
_MOST_EDITS = 6
_LONGEST_BYTES = 200_000


def mutated(chance: random.Random, seeds: Sequence[bytes], tokens: Sequence[bytes]) -> bytes:
    """One of ``seeds`` after a few changes; the same for the same state of ``chance``."""
    data = chance.choice(seeds)
    edits: list[Callable[[random.Random, bytes], bytes]] = [
        _flip, _overwrite_number, _cut, _repeat, _delete, _swap_number, _noise, _pieces,
    ]  # fmt: skip
    for _ in range(chance.randint(1, _MOST_EDITS)):
        if chance.random() < 0.2 and tokens:
            at = chance.randint(0, len(data))
            data = data[:at] + chance.choice(tokens) + data[at + chance.randint(0, 4) :]
        elif chance.random() < 0.1:
            other = chance.choice(seeds)
            data = data[: chance.randint(0, len(data))] + other[chance.randint(0, len(other)) :]
        else:
            data = chance.choice(edits)(chance, data)
    return data[:_LONGEST_BYTES]


def _flip(chance: random.Random, data: bytes) -> bytes:
    if not data:
        return data
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _overwrite_number(chance: random.Random, data: bytes) -> bytes:
    code = chance.choice(("<H", ">H", "<I", ">I", "B"))
    width = struct.calcsize(code)
    if len(data) < width:
        return data
    at = chance.randint(0, len(data) - width)
    return data[:at] + struct.pack(code, chance.choice(_EDGES) % 256**width) + data[at + width :]


def _cut(chance: random.Random, data: bytes) -> bytes:
    return data[: chance.randint(0, len(data))]


def _repeat(chance: random.Random, data: bytes) -> bytes:
    at = chance.randint(0, len(data))
    piece = data[at : at + chance.randint(1, 64)]
    return data[:at] + piece * chance.choice((2, 3, 50, 500)) + data[at:]


def _delete(chance: random.Random, data: bytes) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + data[at + chance.randint(1, 32) :]


def _noise(chance: random.Random, data: bytes) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + chance.randbytes(chance.randint(1, 32)) + data[at:]


def _swap_number(chance: random.Random, data: bytes) -> bytes:
    """Another number where one is written in digits, as in PDF, TOML and JSON."""
    numbers = list(re.finditer(rb"\d+", data))
    if not numbers:
        return data
    start, end = chance.choice(numbers).span()
    return data[:start] + chance.choice(_NUMBERS) + data[end:]


def _pieces(chance: random.Random, data: bytes) -> bytes:
    """Pieces of the format left out, doubled or exchanged; checksums are made to hold again."""
    if data.startswith(b"\x89PNG"):
        return data[:8] + b"".join(_shuffled(chance, [_sealed(c) for c in _png_chunks(data)]))
    if data.startswith(b"\xff\xd8"):
        return b"\xff\xd8" + b"".join(_shuffled(chance, _split(data[2:], b"\xff")))
    if b"%PDF" in data[:64]:
        return b"".join(_shuffled(chance, _split(data, b"\n")))
    return b"".join(_shuffled(chance, _split(data, chance.choice((b"\n", b"#", b"<", b" ", b",")))))


def _shuffled(chance: random.Random, pieces: list[bytes]) -> list[bytes]:
    if not pieces:
        return pieces
    one, other = chance.randrange(len(pieces)), chance.randrange(len(pieces))
    match chance.randrange(3):
        case 0:
            pieces[one], pieces[other] = pieces[other], pieces[one]
        case 1:
            pieces.insert(other, pieces[one])
        case _:
            del pieces[one]
    return pieces


def _split(data: bytes, mark: bytes) -> list[bytes]:
    first, *rest = data.split(mark)
    return [first, *(mark + piece for piece in rest)]


def _png_chunks(data: bytes) -> list[bytes]:
    chunks, at = [], 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunks.append(data[at : at + 12 + length])
        at += 12 + length
    return chunks


def _sealed(chunk: bytes) -> bytes:
    return chunk[:-4] + struct.pack(">I", zlib.crc32(chunk[4:-4]))
