"""A stream's dictionary is looked up in bytes that anybody may have written."""

from __future__ import annotations

import pytest

from docqa.intake import pdf_dictionary

STORED = b"the bytes of a picture as they are stored, long enough to be found by their beginning"


def _object(entries: bytes, data: bytes = STORED) -> bytes:
    return b"7 0 obj\n<< %s >>\nstream\r\n%s\nendstream\nendobj\n" % (entries, data)


def test_the_dictionary_stands_in_front_of_the_data() -> None:
    other = _object(b"/Other", STORED[:70] + b"another end")
    found = pdf_dictionary.of_stream(other + _object(b"/Name"), STORED)
    assert found is not None
    assert b"/Name" in found
    assert b"/Other" not in found
    assert pdf_dictionary.of_stream(other, STORED) is None


def test_what_copies_of_the_data_say_counts_as_well() -> None:
    found = pdf_dictionary.of_stream(_object(b"/Plain") + _object(b"/S#4dask 8 0 R"), STORED)
    assert found is not None
    assert pdf_dictionary.is_special(found)
    hidden = _object(b"/Plain") + b" " * 5000 + STORED
    assert pdf_dictionary.of_stream(hidden, STORED) is None


def test_a_file_made_to_be_searched_forever_is_given_up() -> None:
    zeros = bytes(64)
    file = bytes(100_000) + _object(b"/Name", zeros + b"end")
    assert pdf_dictionary.of_stream(file, zeros + b"end") is None


@pytest.mark.parametrize(
    ("text", "names_layer"),
    [
        (b"<< /OC 7 0 R >>", True),
        (b"<</OC<</Type/OCMD>>>>", True),
        (b"/OC\n\0 7 0 R", True),
        (b"/OC%comment\n7 0 R", True),
        (b"/OC" + b" " * 5000 + b"7 0 R", True),
        (b"/O#43 7 0 R", True),
        (b"/#4F#43 7 0 R", True),
        (b"/OC /Layer BDC", False),
        (b"/OCProperties << /OCGs [7 0 R] >>", False),
        (b"\x01/OC\x9c7\x00", False),
    ],
)
def test_which_words_put_something_on_a_layer(text: bytes, names_layer: bool) -> None:
    assert pdf_dictionary.names_layer(text) == names_layer


@pytest.mark.parametrize(
    ("dictionary", "keeps"),
    [
        (b"<< /DecodeParms << /K -1 >> >>", True),
        (b"<< /Decode [0 1] >>", True),
        (b"<< /Decode[0 1 0 1 0 1] >>", True),
        (b"<< /Decode [1 0] >>", False),
        (b"<< /Decode 6 0 R >>", False),
        (b"<< /Decode [0 1] >> << /Decode 6 0 R >>", False),
    ],
)
def test_which_dictionaries_keep_values(dictionary: bytes, keeps: bool) -> None:
    assert pdf_dictionary.keeps_values(dictionary) == keeps
