"""Documents of other languages: where they are read from, and what they may refer to."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from gateway.contracts.document import open_document
from gateway.model.errors import ContractError


class _Web(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = {"/a/one.txt": b"one", "/a/two.txt": b"two", "/large.txt": b"x" * (16 * 2**20 + 1)}
        away = {"/file": "file:///etc/hostname", "/ftp": "ftp://127.0.0.1:9/x"}.get(self.path)
        if away is not None:
            self.send_response(302)
            self.send_header("Location", away)
            self.end_headers()
            return
        body = found.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Web)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_file_refers_to_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.txt").write_text("one")
    (tmp_path / "two.txt").write_text("two")
    one = open_document("a/one.txt", folder=tmp_path, web=False)
    two = one.refer("../two.txt")

    assert (one.data, two.data, two.location) == (b"one", b"two", str(tmp_path / "two.txt"))


def test_a_file_refers_to_the_web_only_where_that_is_wanted(tmp_path: Path, web: str) -> None:
    (tmp_path / "one.txt").write_text("one")

    assert open_document("one.txt", folder=tmp_path, web=True).refer(f"{web}/a/two.txt").data == b"two"
    with pytest.raises(ContractError, match="which is not read from the web here"):
        open_document("one.txt", folder=tmp_path, web=False).refer(f"{web}/a/two.txt")


def test_what_is_on_the_web_refers_to_the_web_alone(web: str) -> None:
    one = open_document(f"{web}/a/one.txt", web=True)

    assert (one.data, one.refer("two.txt").data) == (b"one", b"two")
    for reference in ("file:///etc/hostname", "ftp://127.0.0.1/x"):
        with pytest.raises(ContractError, match="which is not on the web"):
            one.refer(reference)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/nope", "Not Found"),
        ("/file", "is not allowed"),
        ("/ftp", "it redirects to ftp:"),
        ("/large.txt", "is larger than 16 MiB"),
    ],
)
def test_what_cannot_be_had_from_the_web_is_said(web: str, path: str, reason: str) -> None:
    with pytest.raises(ContractError, match=reason):
        open_document(f"{web}{path}", web=True)


def test_nobody_there_is_said() -> None:
    with pytest.raises(ContractError, match=r"http://127\.0\.0\.1:9/ cannot be read: Connection refused"):
        open_document("http://127.0.0.1:9/", web=True)
    with pytest.raises(ContractError, match="is not read from the web here"):
        open_document("http://127.0.0.1:9/", web=False)


def test_large_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "large.txt").write_bytes(b"x" * (16 * 2**20 + 1))

    with pytest.raises(ContractError, match="is larger than 16 MiB"):
        open_document("large.txt", folder=tmp_path, web=False)


@pytest.mark.parametrize("reference", ["http://[", "a\0b"])
def test_a_reference_that_is_none_is_refused(tmp_path: Path, reference: str) -> None:
    (tmp_path / "a.txt").write_text("a")

    with pytest.raises(ContractError, match=r"is no address|cannot be read"):
        open_document("a.txt", folder=tmp_path, web=True).refer(reference)


@pytest.mark.parametrize("web", [True, False])
def test_passwords_in_an_address_are_not_shown(web: bool) -> None:
    with pytest.raises(ContractError) as caught:
        open_document("http://ann:s3cret@127.0.0.1:9/a.wsdl", web=web)

    assert "http://***@127.0.0.1:9/a.wsdl" in str(caught.value)
    assert "s3cret" not in str(caught.value)
