"""Encryption at rest: AES-256-GCM under keys with ids, so that they can be changed.

Sealed bytes: the magic, one byte with the length of the key's id, the id, a random 96-bit nonce,
then ciphertext and tag. The header and the name of the place (a blob's key, a column) are
authenticated along: sealed bytes open only whole, unchanged and where they belong.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from docqa.errors import DamagedData, InvalidModel

MAGIC = b"\x00docqa-sealed-1\x00"
"""No JPEG, PNG, TIFF or PDF begins like this."""
TEXT_MAGIC = "docqa-sealed-1:"
_PLAIN_MAGIC = "docqa-plain-1:"
"""Before a plain text that begins like a marked one: a client chooses what its file is called."""
_KEY_BYTES, _NONCE_BYTES, _TAG_BYTES = 32, 12, 16
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


class Keyring:
    """The keys of an installation; the first one seals, all of them open.

    Without a key nothing is sealed, and what is sealed is refused.

    Args:
        keys: 32-byte keys by id, the active one first.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self.key_ids = tuple(keys)
        """The active one first; () when nothing is sealed."""
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._index_keys = {key_id: _index_key(key) for key_id, key in keys.items()}

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self.key_ids)})"

    def seal(self, data: bytes, place: str) -> bytes:
        """``data`` sealed by the active key for ``place``; as it is when there is no key."""
        if not self.key_ids:
            return data
        key_id = self.key_ids[0]
        nonce = secrets.token_bytes(_NONCE_BYTES)
        header = MAGIC + bytes([len(key_id)]) + key_id.encode() + nonce
        return header + self._ciphers[key_id].encrypt(nonce, data, _along(header, place))

    def open(self, sealed: bytes, place: str) -> bytes:
        """What was sealed for ``place``.

        Raises:
            DamagedData: it was changed, cut, moved, is not sealed though there are keys, or is
                sealed by a key that is not here.
        """
        if not sealed.startswith(MAGIC):
            if not self.key_ids:
                return sealed
            raise DamagedData("stored bytes are not sealed: run `docqa reseal` if they never were")
        key_id = sealed_by(sealed)
        if key_id not in self._ciphers:
            raise DamagedData(
                f"stored bytes need the key {key_id!r}: add it to the encryption keys"
            )
        at = len(MAGIC) + 1 + len(key_id)
        nonce = sealed[at : at + _NONCE_BYTES]
        header, rest = sealed[: at + _NONCE_BYTES], sealed[at + _NONCE_BYTES :]
        if len(rest) < _TAG_BYTES:
            raise DamagedData("stored bytes were cut: restore them from a backup")
        try:
            return self._ciphers[key_id].decrypt(nonce, rest, _along(header, place))
        except InvalidTag:
            raise DamagedData("stored bytes were changed: restore them from a backup") from None

    def seal_text(self, value: str, place: str) -> str:
        """``value`` sealed as text for a column; as it is when there is no key."""
        if not self.key_ids:
            is_like_marked = value.startswith((TEXT_MAGIC, _PLAIN_MAGIC))
            return _PLAIN_MAGIC + value if is_like_marked else value
        return TEXT_MAGIC + base64.b64encode(self.seal(value.encode(), place)).decode()

    def open_text(self, stored: str, place: str) -> str:
        """What :meth:`seal_text` was given; also what was stored before there was a key."""
        if not stored.startswith(TEXT_MAGIC):
            return stored.removeprefix(_PLAIN_MAGIC)
        try:
            sealed = base64.b64decode(stored[len(TEXT_MAGIC) :], validate=True)
        except binascii.Error:
            raise DamagedData("a stored value was changed: restore it from a backup") from None
        if not sealed.startswith(MAGIC):
            raise DamagedData("a stored value was changed: restore it from a backup")
        return self.open(sealed, place).decode()

    def seal_json(self, value: dict[str, Any], place: str) -> Any:
        """A JSON value for a column: a sealed text, or ``value`` itself when there is no key."""
        if not self.key_ids:
            return value
        return self.seal_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")), place)

    def open_json(self, stored: Any, place: str) -> dict[str, Any]:
        """What :meth:`seal_json` was given; also what was stored before there was a key."""
        if isinstance(stored, dict):
            return stored
        if not isinstance(stored, str) or not stored.startswith(TEXT_MAGIC):
            raise DamagedData("a stored value is neither sealed nor plain: restore it")
        opened: dict[str, Any] = json.loads(self.open_text(stored, place))
        return opened

    def is_current(self, stored: Any) -> bool:
        """Whether the active key sealed ``stored``; nothing is opened."""
        if not isinstance(stored, str) or not stored.startswith(TEXT_MAGIC):
            return False
        key_id = self.key_ids[0].encode() if self.key_ids else b""
        start = MAGIC + bytes([len(key_id)]) + key_id
        return _decoded(stored[len(TEXT_MAGIC) :]).startswith(start)

    def missing_key(self, stored: Any) -> str | None:
        """The id of the key that sealed ``stored``, where it is not here; nothing is opened."""
        if not isinstance(stored, str) or not stored.startswith(TEXT_MAGIC):
            return None
        try:
            key_id = sealed_by(base64.b64decode(stored[len(TEXT_MAGIC) :]))
        except (binascii.Error, DamagedData):
            return None  # no other key would help
        return None if key_id in self.key_ids else key_id

    def text_starts(self) -> list[str]:
        """What a text begins with that one of the keys sealed: some beginnings for each key."""
        found: set[str] = set()
        for key_id in self.key_ids:
            header = MAGIC + bytes([len(key_id)]) + key_id.encode()
            length = -(-len(header) * 4 // 3)
            for nonce in range(0, 256, 16):  # shares the last letter of Base64 with the id
                encoded = base64.b64encode(header + bytes([nonce, 0])).decode()
                found.add(TEXT_MAGIC + encoded[:length])
        return sorted(found)

    def digests(self, text: str) -> list[str]:
        """The keyed digests (HMAC-SHA-256, hex) of ``text`` for an index, the active key's first.

        [] without a key. The digest keys are derived from the encryption keys, so an older key that
        stays in the ring keeps finding what was stored under it.
        """
        data = text.encode()
        return [
            hmac.new(self._index_keys[key_id], data, hashlib.sha256).hexdigest()
            for key_id in self.key_ids
        ]


NO_KEYS = Keyring({})
"""Seals nothing."""


def sealed_by(data: bytes) -> str | None:
    """The id of the key that sealed ``data``; None when it is not sealed.

    Raises DamagedData when the header is not whole.
    """
    if not data.startswith(MAGIC):
        return None
    start = len(MAGIC) + 1
    length = data[start - 1] if len(data) >= start else 0
    key_id = data[start : start + length].decode("ascii", errors="replace")
    if len(key_id) != length or not _KEY_ID.fullmatch(key_id):
        raise DamagedData("stored bytes were cut or changed: restore them from a backup")
    return key_id


def parse_keys(text: str) -> Keyring:
    """The keys in ``id:base64,…`` or in the file at that path, one ``id:base64`` a line.

    Raises:
        InvalidModel: a key is wrong; the message names its place, never the key.
    """
    text = text.strip()
    if not text:
        return Keyring({})
    if ":" not in text:
        try:
            text = Path(text).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidModel(
                "DOCQA_ENCRYPTION_KEYS must be id:base64,… or the path of a file with such lines"
                f" ({type(error).__name__})"
            ) from None
    entries = [entry.strip() for entry in re.split(r"[,\n]", text)]
    keys: dict[str, bytes] = {}
    for place, entry in enumerate(filter(None, entries), 1):
        key_id, _, encoded = entry.partition(":")
        key = _decoded(encoded)
        if not _KEY_ID.fullmatch(key_id) or key_id in keys or len(key) != _KEY_BYTES:
            raise InvalidModel(
                f"encryption key {place} must be ID:BASE64 with an ID of its own (1 to 32 letters,"
                f" digits, - and _) and {_KEY_BYTES} bytes: `openssl rand -base64 32` makes one"
            )
        keys[key_id] = key
    if not keys:
        raise InvalidModel("DOCQA_ENCRYPTION_KEYS names a file without a key in it")
    return Keyring(keys)


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _along(header: bytes, place: str) -> bytes:
    return header + place.encode()


def _index_key(key: bytes) -> bytes:
    """A key of its own for digests: one key is used for one thing only."""
    return HKDF(hashes.SHA256(), _KEY_BYTES, salt=None, info=b"docqa index 1").derive(key)
