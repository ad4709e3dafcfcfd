"""Reads multipart/form-data (RFC 7578) as it arrives; the file goes straight to its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from api.problems import Problem


@dataclass(frozen=True, slots=True)
class FormLimits:
    """What a form may have beside its file."""

    most_parts: int
    part_bytes: int
    """Of one part that is no file."""


@dataclass(slots=True)
class _Part:
    """The part that is arriving."""

    header_name: bytes = b""
    header_value: bytes = b""
    disposition: bytes = b""
    name: str = ""
    is_file: bool = False
    is_kept: bool = False
    """Whether it is the file that is asked for."""
    text: bytearray = field(default_factory=bytearray)


class FormReader:
    """Takes a form's bytes as they come.

    Args:
        content_type: the request's header, with the boundary.
        file_part: name of the part whose bytes go to ``keep``.
        keep: gets them, in order.
        limits: of everything else.

    Raises:
        Problem: no boundary, not a form, more parts than allowed, a part given twice or a value
            that is not UTF-8.
    """

    def __init__(
        self,
        content_type: str,
        file_part: str,
        keep: Callable[[memoryview], None],
        limits: FormLimits,
    ) -> None:
        self.fields: dict[str, str] = {}
        """The parts that are no files."""
        self.file_name: str | None = None
        """What the client calls the file; None as long as there is none."""
        self._file_part = file_part
        self._keep = keep
        self._limits = limits
        self._files_count = 0
        self._is_complete = False
        self._part = _Part()
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if boundary is None:
            raise Problem("http.rejected")
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._headers_finished,
                    "on_part_data": self._data,
                    "on_part_end": self._end,
                    "on_end": self._complete,
                },
            )
        except FormParserError as error:
            raise Problem("http.rejected") from error

    def write(self, chunk: bytes) -> None:
        """The next bytes of the body."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise Problem("http.rejected") from error

    def finish(self) -> None:
        """The body has ended."""
        if not self._is_complete:
            raise Problem("http.rejected")

    def _begin(self) -> None:
        self._part = _Part()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._part.header_name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.header_value += data[start:end]

    def _header_end(self) -> None:
        if self._part.header_name.lower() == b"content-disposition":
            self._part.disposition = self._part.header_value
        self._part.header_name = self._part.header_value = b""

    def _headers_finished(self) -> None:
        options = parse_options_header(self._part.disposition)[1]
        if b"name" not in options:
            raise Problem("http.rejected")
        self._part.name = _name(options[b"name"])
        self._part.is_file = b"filename" in options
        if not self._part.is_file:
            self._count_field()
            return
        self._files_count += 1
        if self._files_count > 1:
            raise self._wrong("is a second file: send each in a request of its own")
        self._part.is_kept = self._part.name == self._file_part
        if self._part.is_kept:
            # Browsers write a quotation mark so (WHATWG, multipart/form-data).
            self.file_name = _name(options[b"filename"]).replace("%22", '"')

    def _count_field(self) -> None:
        most = self._limits.most_parts
        if self._part.name == self._file_part:
            raise self._wrong("has no file name", "http.file_missing")
        if len(self.fields) >= most:
            raise self._wrong(f"is one part too many: there may be {most} beside the file")
        if self._part.name in self.fields:
            raise self._wrong("is given twice", "http.invalid")

    def _wrong(self, detail: str, code: str = "http.rejected") -> Problem:
        return Problem(code, errors=[{"pointer": f"/{self._part.name}", "detail": detail}])

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part.is_kept:
            self._keep(memoryview(data)[start:end])
        elif not self._part.is_file:
            most_bytes = self._limits.part_bytes
            if len(self._part.text) + end - start > most_bytes:
                raise self._wrong(f"is longer than {most_bytes} bytes")
            self._part.text += data[start:end]

    def _end(self) -> None:
        if not self._part.is_file:
            text = bytes(self._part.text)
            self.fields[self._part.name] = utf8_value(f"/{self._part.name}", text)

    def _complete(self) -> None:
        self._is_complete = True


def utf8_value(pointer: str, raw: bytes) -> str:
    """The text of the value at ``pointer``.

    A guess at another encoding would turn what a citizen truly typed into what no document says.

    Raises:
        Problem: it is not UTF-8.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        errors = [{"pointer": pointer, "detail": "is not UTF-8: send it as UTF-8"}]
        raise Problem("http.invalid", errors=errors) from None


def _name(raw: bytes) -> str:
    """What is only shown, or compared with names that are ASCII."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
