"""The page at `/docs`: what is served, and under which headers."""

from __future__ import annotations

import gzip
import hashlib
import re
from importlib.resources import files

import pytest

from adapters.http.docs import docs_pages
from protocols.http.message import Headers, HttpRequest, HttpResponse
from protocols.http_json.pages import PageSet


@pytest.fixture(scope="module")
def pages() -> PageSet:
    return docs_pages()


def get(pages: PageSet, path: str, **fields: str) -> HttpResponse:
    headers = Headers((name.replace("_", "-"), value) for name, value in fields.items())
    found = pages.answer(HttpRequest("GET", path, "", headers))
    assert found is not None
    return found


def test_the_page_without_its_slash_leads_to_it_under_any_prefix(pages: PageSet) -> None:
    found = get(pages, "/docs")

    assert (found.status, dict(found.headers)["Location"]) == (308, "docs/")


def test_everything_the_page_names_is_served(pages: PageSet) -> None:
    html = get(pages, "/docs/").body.decode()
    names = re.findall(r'(?:href|src)="([^"]+)"', html)

    assert "swagger-ui-bundle.js" in names
    for name in names:
        if name != "../openapi.json":
            assert get(pages, f"/docs/{name}").status == 200


def test_no_script_stands_in_the_page_and_nothing_comes_from_elsewhere(pages: PageSet) -> None:
    found = get(pages, "/docs/")

    assert re.findall(r"<script(?![^>]*src=)[^>]*>", found.body.decode()) == []
    assert "://" not in found.body.decode()
    policy = dict(found.headers)["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;")


def test_files_travel_compressed_to_those_who_take_it(pages: PageSet) -> None:
    plain = get(pages, "/docs/swagger-ui-bundle.js")
    coded = get(pages, "/docs/swagger-ui-bundle.js", Accept_Encoding="gzip")

    assert "Content-Encoding" not in dict(plain.headers)
    assert dict(coded.headers)["Content-Encoding"] == "gzip"
    assert gzip.decompress(coded.body) == plain.body
    assert len(coded.body) * 3 < len(plain.body)
    assert dict(plain.headers)["ETag"] != dict(coded.headers)["ETag"]


@pytest.mark.parametrize("fields", [{}, {"Accept_Encoding": "gzip"}])
@pytest.mark.parametrize("form", ["{}", 'W/{}, "other"', '"other", {}', "*"])
def test_who_has_a_file_does_not_get_it_again(pages: PageSet, fields: dict[str, str], form: str) -> None:
    tag = dict(get(pages, "/docs/docs.js", **fields).headers)["ETag"]
    found = get(pages, "/docs/docs.js", If_None_Match=form.format(tag), **fields)

    assert (found.status, found.body, dict(found.headers)["ETag"]) == (304, b"", tag)


def test_images_are_not_compressed_again(pages: PageSet) -> None:
    found = get(pages, "/docs/favicon-32x32.png", Accept_Encoding="gzip")

    assert found.body.startswith(b"\x89PNG")
    assert "Content-Encoding" not in dict(found.headers)


def test_pages_can_only_be_read(pages: PageSet) -> None:
    found = pages.answer(HttpRequest("POST", "/docs/"))

    assert found is not None
    assert (found.status, dict(found.headers)["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/", "/docs/nothing", "/docs/../docs/", "/docs/docs.html", "/docsx"])
def test_other_paths_are_none_of_a_page(pages: PageSet, path: str) -> None:
    assert pages.answer(HttpRequest("GET", path)) is None


def test_vendored_files_are_as_published() -> None:
    folder = files("adapters.http") / "pages" / "swagger-ui"
    listed = re.findall(r"^([0-9a-f]{64})  (\S+)$", (folder / "ORIGIN").read_text(), re.MULTILINE)

    assert {name for _, name in listed} == {each.name for each in folder.iterdir()} - {"ORIGIN"}
    for digest, name in listed:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
