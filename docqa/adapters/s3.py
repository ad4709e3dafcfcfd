"""Uploaded bytes in an S3 bucket, or in anything that speaks its protocol."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from docqa.adapters.blobs import check_key, is_key

_ERRORS = (BaseError, FileNotFoundError)
_TIMEOUT = timedelta(seconds=20)
_CONNECT_TIMEOUT = timedelta(seconds=5)
_MOST_RETRIES = 3
_ASKED_EVERY_S = 10.0
_NOBODYS_KEY = "0" * 16
"""Shorter than those that docqa makes: S3 says that it is not there, and so that it is well."""


class S3Blobs:
    """One object per key. What :meth:`put` has stored is durable when it returns.

    Args:
        url: ``s3://bucket`` or ``s3://bucket/prefix``.
        endpoint: address of the service; Amazon's if None. One that begins with ``http://`` is
            spoken to without encryption.
        region: the bucket's.
        credentials: access key id and secret; those of the environment or the machine if None.
    """

    def __init__(
        self,
        url: str,
        *,
        endpoint: str | None,
        region: str,
        credentials: tuple[str, str] | None,
    ) -> None:
        options: dict[str, Any] = {"region": region}
        if endpoint is not None:
            options["endpoint"] = endpoint
            options["virtual_hosted_style_request"] = False
        if credentials is not None:
            options["access_key_id"], options["secret_access_key"] = credentials
        self._store = S3Store.from_url(
            url,
            client_options={
                "timeout": _TIMEOUT,
                "connect_timeout": _CONNECT_TIMEOUT,
                "allow_http": endpoint is not None and endpoint.startswith("http://"),
            },
            retry_config={"max_retries": _MOST_RETRIES, "retry_timeout": _TIMEOUT},
            **options,
        )
        self._asked_again_at = 0.0
        self._problems: list[str] = []

    def put(self, key: str, data: bytes) -> None:
        """Store durably.

        Raises:
            ValueError: the key is taken, or not 16 to 64 of a-z and 0-9.
            OSError: the service does not answer or refuses.
        """
        check_key(key)
        try:
            self._store.put(key, data, mode="create", use_multipart=False)
        except AlreadyExistsError:
            raise ValueError(f"the blob {key} exists already") from None
        except _ERRORS as error:
            raise _failure("stored", error) from error

    def get(self, key: str) -> bytes:
        """Raises KeyError when there is none, OSError when the service does not answer."""
        check_key(key)
        try:
            return bytes(self._store.get(key).bytes())
        except FileNotFoundError as error:
            if "<Code>NoSuchBucket</Code>" in str(error):
                raise _failure("read", error) from error
            raise KeyError(key) from None
        except _ERRORS as error:
            raise _failure("read", error) from error

    def delete(self, key: str) -> None:
        """Gone for good, unless the bucket keeps versions; a missing key is no error.

        Raises OSError when the service does not answer.
        """
        check_key(key)
        try:
            self._store.delete(key)  # of a missing key S3 says that it is gone
        except _ERRORS as error:
            raise _failure("deleted", error) from error

    def stored_before(self, moment: datetime) -> Iterator[str]:
        """See :class:`docqa.ports.BlobStore`; raises OSError when the service does not answer."""
        try:
            for batch in self._store.list():
                for found in batch:
                    if is_key(found["path"]) and found["last_modified"] < moment:
                        yield found["path"]
        except _ERRORS as error:
            raise _failure("listed", error) from error

    def problems(self) -> list[str]:
        """See :class:`docqa.ports.BlobStore`; the answer is kept for some seconds."""
        if time.monotonic() >= self._asked_again_at:
            self._asked_again_at = time.monotonic() + _ASKED_EVERY_S  # by one of many probes
            try:
                self.get(_NOBODYS_KEY)
            except KeyError:
                self._problems = []
            except OSError:
                self._problems = ["the S3 of the uploads does not answer: see DOCQA_BLOBS_URL"]
        return self._problems


def _failure(done: str, error: Exception) -> OSError:
    return OSError(f"the blob could not be {done}: S3 failed ({type(error).__name__})")
