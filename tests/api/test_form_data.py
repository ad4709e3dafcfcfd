"""A form is read the same however its bytes arrive, and nothing but a form is."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.form_data import FormLimits, FormReader
from api.problems import Problem

LIMITS = FormLimits(most_parts=3, part_bytes=100)
HEAD = "multipart/form-data; boundary=x"


def sent(data: dict[str, str], file: bytes, name: str) -> tuple[str, bytes]:
    """Content type and body as httpx makes them."""
    request = httpx.Request("POST", "http://a/", data=data, files={"file": (name, file)})
    return request.headers["content-type"], request.read()


def read(content_type: str, chunks: list[bytes]) -> tuple[FormReader, bytes]:
    kept = bytearray()
    form = FormReader(content_type, "file", kept.extend, LIMITS)
    for chunk in chunks:
        form.write(chunk)
    form.finish()
    return form, bytes(kept)


def split(body: bytes, at: list[int]) -> list[bytes]:
    places = sorted({min(place, len(body)) for place in at} | {0, len(body)})
    return [body[start:stop] for start, stop in zip(places, places[1:], strict=False)]


@given(
    file=st.binary(max_size=400) | st.just(b"\r\n--x\r\n--\r\n" * 9),
    claim=st.text(alphabet="آمنة abc\r\n-", max_size=20),
    at=st.lists(st.integers(0, 900), max_size=12),
)
def test_a_form_is_read_the_same_however_its_bytes_arrive(
    file: bytes, claim: str, at: list[int]
) -> None:
    content_type, body = sent({"claims": claim, "document_type": "sy-id-front"}, file, "بطاقة.jpg")
    form, kept = read(content_type, split(body, at))
    assert kept == file
    assert form.file_name == "بطاقة.jpg"
    assert form.fields == {"claims": claim, "document_type": "sy-id-front"}


@given(cut=st.integers(1, 200))
def test_a_form_that_ends_early_is_none(cut: int) -> None:
    content_type, body = sent({"a": "b"}, b"picture", "a.jpg")
    with pytest.raises(Problem):
        read(content_type, [body[: -min(cut + 2, len(body))]])


@given(body=st.binary(max_size=300), at=st.lists(st.integers(0, 300), max_size=5))
def test_whatever_arrives_is_a_form_or_a_problem(body: bytes, at: list[int]) -> None:
    for start in (b"", b"--x\r\n", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n'):
        with pytest.raises(Problem):
            read(HEAD, split(start + body, at))


def part(name: str, text: bytes, more: str = "") -> bytes:
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + text + b"\r\n"


@pytest.mark.parametrize(
    ("body", "code", "error"),
    [
        (part("a", b"1") + part("a", b"2"), "http.invalid", ("/a", "is given twice")),
        (part("a", b"x" * 101), "http.rejected", ("/a", "is longer than 100 bytes")),
        (
            b"".join(part(name, b"1") for name in "abcd"),
            "http.rejected",
            ("/d", "is one part too many: there may be 3 beside the file"),
        ),
        (
            part("file", b"1", '; filename="a"') + part("back", b"2", '; filename="b"'),
            "http.rejected",
            ("/back", "is a second file: send each in a request of its own"),
        ),
        (part("file", b"1"), "http.file_missing", ("/file", "has no file name")),
    ],
    ids=["twice", "long", "many", "two files", "no name"],
)
def test_more_than_is_allowed_is_a_problem_that_says_what(
    body: bytes, code: str, error: tuple[str, str]
) -> None:
    with pytest.raises(Problem) as refused:
        read(HEAD, [body + b"--x--\r\n"])
    [said] = refused.value.errors
    assert (refused.value.code, (said["pointer"], said["detail"])) == (code, error)


def test_a_file_that_is_not_asked_for_is_not_kept() -> None:
    body = part("other", b"1", '; filename="a"') + part("a", b"2") + b"--x--\r\n"
    form, kept = read(HEAD, [body])
    assert (form.file_name, kept, form.fields) == (None, b"", {"a": "2"})


def test_a_value_that_is_not_utf8_is_named_and_not_guessed_at() -> None:
    body = part("claims", '{"given_name": "لمياء"}'.encode("windows-1256")) + b"--x--\r\n"
    with pytest.raises(Problem) as refused:
        read(HEAD, [body])
    assert refused.value.code == "http.invalid"
    assert [error["pointer"] for error in refused.value.errors] == ["/claims"]


def test_a_file_name_that_is_not_utf8_is_shown_as_it_can_be() -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="\xe9.jpg"\r\n\r\n'
    form, kept = read(HEAD, [head + b"1\r\n--x--\r\n"])
    assert (form.file_name, kept) == ("é.jpg", b"1")


def test_a_quotation_mark_in_a_file_name_is_one() -> None:
    form, _ = read(*_in_one(sent({}, b"1", 'the "front".jpg')))
    assert form.file_name == 'the "front".jpg'


def _in_one(request: tuple[str, bytes]) -> tuple[str, list[bytes]]:
    return request[0], [request[1]]
