"""Documents of other languages, read from files and, where that is wanted, from the web."""

from __future__ import annotations

import os
import urllib.error
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Final
from urllib.parse import urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from gateway.model.document import Document
from gateway.model.errors import ContractError

__all__ = ["FileDocument", "WebDocument", "open_document"]

_MAX_BYTES: Final = 16 * 2**20
_TIMEOUT_S: Final = 30.0
_WEB: Final = ("http", "https")


class FileDocument:
    """A file. It may refer to other files, and to the web only if `web`."""

    def __init__(self, path: Path, *, web: bool) -> None:
        self.location: Final = str(path)
        self._web = web
        try:
            with path.open("rb") as file:
                self.data: Final = file.read(_MAX_BYTES + 1)
        except (OSError, ValueError) as exc:
            reason = getattr(exc, "strerror", None) or exc
            raise ContractError(f"{str(path)!r} cannot be read: {reason}") from None
        _check_size(self.location, self.data)

    def refer(self, reference: str) -> Document:
        """See `Document`."""
        if not _is_web(reference):
            return FileDocument(Path(os.path.normpath(Path(self.location).parent / reference)), web=self._web)
        if not self._web:
            raise ContractError(f"{self.location} refers to {reference}, which is not read from the web here")
        return WebDocument(reference)


class WebDocument:
    """What is behind a URL. It may refer to the web only: whoever wrote it does not learn what files are here."""

    def __init__(self, url: str) -> None:
        if _shown(url) != url:
            raise ContractError(f"{_shown(url)} has a user in it, which is not sent; fetch it, and name the file")
        request = Request(url, headers={"User-Agent": "polyport", "Accept": "*/*"})
        try:
            with build_opener(_Redirects).open(request, timeout=_TIMEOUT_S) as answer:
                self.location: Final[str] = answer.url
                self.data: Final[bytes] = answer.read(_MAX_BYTES + 1)
        except urllib.error.URLError as exc:
            reason = exc.reason.strerror if isinstance(exc.reason, OSError) and exc.reason.strerror else exc.reason
            raise ContractError(f"{url} cannot be read: {reason}") from None
        except (OSError, HTTPException, ValueError) as exc:
            raise ContractError(f"{url} cannot be read: {str(exc) or type(exc).__name__}") from None
        _check_size(url, self.data)

    def refer(self, reference: str) -> Document:
        """See `Document`."""
        try:
            url = urljoin(self.location, reference)
        except ValueError as exc:
            raise ContractError(f"{self.location} refers to {reference!r}: {exc}") from None
        if not _is_web(url):
            raise ContractError(f"{self.location} refers to {reference}, which is not on the web")
        return WebDocument(url)


class _Redirects(HTTPRedirectHandler):
    """Follows to the web alone; by itself it would go to ftp too."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """The request to make instead."""
        if not _is_web(newurl):
            raise urllib.error.URLError(f"it redirects to {newurl}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def open_document(location: str, *, folder: Path | None = None, web: bool) -> Document:
    """The document at a path, or at a URL if `web`. `folder`: where relative paths begin.

    Raises:
        ContractError: it cannot be read, or is larger than 16 MiB.
    """
    if _is_web(location):
        if not web:
            raise ContractError(f"{_shown(location)} is not read from the web here; import it into a file")
        return WebDocument(location)
    return FileDocument((folder or Path()) / location, web=web)


def _shown(url: str) -> str:
    """A URL as it may be shown: with stars for user and password."""
    user, found, _ = urlsplit(url).netloc.rpartition("@")
    return url.replace(f"{user}@", "***@", 1) if found else url


def _is_web(location: str) -> bool:
    try:
        return urlsplit(location).scheme in _WEB
    except ValueError as exc:
        raise ContractError(f"{location!r} is no address: {exc}") from None


def _check_size(location: str, data: bytes) -> None:
    if len(data) > _MAX_BYTES:
        raise ContractError(f"{location} is larger than {_MAX_BYTES // 2**20} MiB")
