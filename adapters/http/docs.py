"""The page at `/docs`: Swagger UI over the listener's own OpenAPI document, without a network."""

from __future__ import annotations

from functools import partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from protocols.http_json.pages import Page, PageSet, Redirect

__all__ = ["docs_pages"]

_HTML: Final = "text/html; charset=utf-8"
_CSS: Final = "text/css; charset=utf-8"
_SCRIPT: Final = "text/javascript; charset=utf-8"
_FILES: Final = {
    "/docs/": (_HTML, "docs.html"),
    "/docs/docs.css": (_CSS, "docs.css"),
    "/docs/docs.js": (_SCRIPT, "docs.js"),
    "/docs/favicon-32x32.png": ("image/png", "swagger-ui/favicon-32x32.png"),
    "/docs/swagger-ui.css": (_CSS, "swagger-ui/swagger-ui.css"),
    "/docs/swagger-ui-bundle.js": (_SCRIPT, "swagger-ui/swagger-ui-bundle.js"),
}
"""Path to media type and file; the page names them, and `../openapi.json`, by relative references."""


def docs_pages() -> PageSet:
    """The page and what belongs to it. Files are read when somebody asks for them."""
    folder = files("adapters.http") / "pages"
    pages = {path: Page(kind, partial(_read, folder, name)) for path, (kind, name) in _FILES.items()}
    return PageSet({"/docs": Redirect("docs/"), **pages})


def _read(folder: Traversable, name: str) -> bytes:
    return folder.joinpath(*name.split("/")).read_bytes()
