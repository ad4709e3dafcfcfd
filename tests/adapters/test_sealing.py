"""Encryption at rest: what comes back is what was put, or an error."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.adapters.memory import MemoryBlobs
from docqa.adapters.sealed_blobs import SealedBlobs
from docqa.adapters.sealing import MAGIC, NO_KEYS, Keyring, parse_keys, sealed_by
from docqa.errors import DamagedData, InvalidModel
from docqa.fields import normal_national_number

KEY, OTHER = "0123456789abcdef" * 2, "fedcba9876543210" * 2
OLD, NEW = bytes(range(32)), bytes(range(32, 64))
RING = Keyring({"k1": OLD})
DATA = b"\xff\xd8 a whole scan \x00"


@pytest.mark.parametrize("key_id", ["a", "k1", "k2", "k22", "k_-9", "2026-05", "x" * 32])
def test_texts_of_a_key_begin_as_it_says_and_those_of_no_other_key_do(key_id: str) -> None:
    ring = Keyring({key_id: bytes(32)})
    starts = tuple(ring.text_starts())
    assert all(ring.seal_text("x", "p").startswith(starts) for _ in range(200))
    for other in ("b", "k3", "k21", "k_-8", "2026-06", "x" * 31, "x" * 31 + "y"):
        text = Keyring({other: bytes(32)}).seal_text("x", "p")
        assert not text.startswith(starts)


@given(st.binary(max_size=200), st.text(max_size=20))
def test_what_is_sealed_opens_as_it_was_and_shows_nothing(data: bytes, place: str) -> None:
    sealed = RING.seal(data, place)
    assert RING.open(sealed, place) == data
    assert len(data) < 8 or data not in sealed[len(MAGIC) :]


SEALED = RING.seal(DATA, KEY)


@given(at=st.integers(0, len(SEALED) - 1), bit=st.integers(0, 7))
def test_every_changed_bit_is_an_error(at: int, bit: int) -> None:
    changed = bytearray(SEALED)
    changed[at] ^= 1 << bit
    with pytest.raises(DamagedData):
        RING.open(bytes(changed), KEY)


@given(length=st.integers(0, len(SEALED) - 1))
def test_every_cut_is_an_error(length: int) -> None:
    with pytest.raises(DamagedData):
        RING.open(SEALED[:length], KEY)


def test_bytes_of_another_document_are_an_error() -> None:
    with pytest.raises(DamagedData, match="changed"):
        RING.open(SEALED, OTHER)


def test_plain_bytes_are_an_error_once_there_is_a_key() -> None:
    with pytest.raises(DamagedData, match="not sealed"):
        RING.open(DATA, KEY)


def test_sealed_bytes_without_their_key_are_an_error_that_names_it() -> None:
    for ring in (NO_KEYS, Keyring({"k2": NEW})):
        with pytest.raises(DamagedData, match="'k1'"):
            ring.open(SEALED, KEY)


def test_another_key_of_the_same_id_is_an_error() -> None:
    with pytest.raises(DamagedData, match="changed"):
        Keyring({"k1": NEW}).open(SEALED, KEY)


def test_the_first_key_seals_and_all_of_them_open() -> None:
    both = Keyring({"k2": NEW, "k1": OLD})
    assert both.open(SEALED, KEY) == DATA
    assert sealed_by(both.seal(DATA, KEY)) == "k2"
    assert sealed_by(SEALED) == "k1"
    assert sealed_by(DATA) is None


def test_services_that_have_a_new_key_first_or_last_open_each_others() -> None:
    first, last = Keyring({"k2": NEW, "k1": OLD}), Keyring({"k1": OLD, "k2": NEW})
    for mine, others in ((first, last), (last, first)):
        assert others.open(mine.seal(DATA, KEY), KEY) == DATA
        assert others.open_text(mine.seal_text("x", "p"), "p") == "x"
        assert others.missing_key(mine.seal_text("x", "p")) is None
        assert mine.digests("01020304050")[0] in others.digests("01020304050")
    with pytest.raises(DamagedData, match="'k2'"):
        RING.open(first.seal(DATA, KEY), KEY)


def test_the_same_bytes_are_sealed_differently_each_time() -> None:
    assert len({RING.seal(DATA, KEY) for _ in range(50)}) == 50


def test_the_store_inside_never_sees_the_bytes() -> None:
    inner = MemoryBlobs()
    SealedBlobs(inner, RING).put(KEY, DATA)
    assert inner.get(KEY).startswith(MAGIC)
    assert DATA not in inner.get(KEY)


def test_a_json_value_opens_as_it_was_and_in_its_own_place_only() -> None:
    claims = {"national_number": "٠١٢", "given_name": "آمنة"}
    stored = RING.seal_json(claims, "documents.claims")
    assert isinstance(stored, str) and stored.isascii()
    assert RING.open_json(stored, "documents.claims") == claims
    for changed, place in ((stored, "documents.readings"), (stored[:-8], "documents.claims")):
        with pytest.raises(DamagedData):
            RING.open_json(changed, place)


def test_json_from_before_there_was_a_key_is_read() -> None:
    assert RING.open_json({"given_name": "آمنة"}, "documents.claims") == {"given_name": "آمنة"}


@pytest.mark.parametrize("typed", ["01020304050", "٠١٠٢٠٣٠٤٠٥٠", "۰۱۰۲۰۳۰۴۰۵۰", "1020304050"])
def test_a_number_has_one_digest_however_it_is_typed(typed: str) -> None:
    assert RING.digests(normal_national_number(typed)) == RING.digests("01020304050")


def test_digests_of_other_numbers_and_other_keys_differ_and_old_keys_stay_findable() -> None:
    (one,), (two,) = RING.digests("01020304050"), RING.digests("01020304051")
    assert one != two
    assert Keyring({"k2": NEW, "k1": OLD}).digests("01020304050")[1] == one
    assert NO_KEYS.digests("01020304050") == []


def text_of(key: bytes) -> str:
    return base64.b64encode(key).decode()


def test_keys_come_from_the_setting_or_from_a_file(tmp_path: Path) -> None:
    entries = [f"k2:{text_of(NEW)}", f"k1:{text_of(OLD)}"]
    file = tmp_path / "keys"
    file.write_text("\n".join(entries) + "\n")
    for said in (",".join(entries), str(file)):
        ring = parse_keys(said)
        assert ring.key_ids == ("k2", "k1")
        assert ring.open(SEALED, KEY) == DATA
    assert parse_keys(" ").key_ids == ()


@pytest.mark.parametrize(
    "said",
    [
        "k1:short", f"k1:{text_of(OLD)},k1:{text_of(NEW)}", f":{text_of(OLD)}",
        f"k 1:{text_of(OLD)}", f"k1:{text_of(OLD)[:-4]}", f"k1:{text_of(OLD)}!", "/nowhere",
    ],
)  # fmt: skip
def test_a_wrong_key_stops_the_start_and_is_not_in_the_message(said: str) -> None:
    with pytest.raises(InvalidModel) as raised:
        parse_keys(said)
    assert text_of(OLD)[:10] not in str(raised.value)


def test_a_ring_shows_no_key() -> None:
    assert repr(RING) == "Keyring(k1)"
