"""Versions of peers, from the files here that pin them: what a run has is exactly that."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

__all__ = ["cargo", "go_module", "maven", "npm", "pypi", "required"]

_HERE = Path(__file__).parent


def npm(package: str) -> str:
    """Of a package in `node/package.json`."""
    return str(json.loads((_HERE / "node" / "package.json").read_text("utf-8"))["dependencies"][package])


def pypi(folder: str, package: str) -> str:
    """Of a package in the requirements of a folder."""
    return _first(rf"^{re.escape(package)}==(\S+)$", _HERE / folder / "requirements.txt")


def required(package: str) -> str:
    """What `pyproject.toml` asks for, `0.7.1 or newer`; of what the tests use in their own environment."""
    project = tomllib.loads((_HERE.parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *(each for some in project["optional-dependencies"].values() for each in some)]
    range_of = re.compile(rf"{re.escape(package)}(?:\[\w+\])?>=(.+),<.+")
    return next(f"{found[1]} or newer" for each in wanted if (found := range_of.fullmatch(each)))


def maven(module: str, artifact: str) -> str:
    """Of a dependency in the `pom.xml` of a module, `java/rmi`; it may be a property of its own or of its parent."""
    pom = _HERE / module / "pom.xml"
    comment = r"(?:<!--.*?-->\s*)?"
    version = _first(rf"<artifactId>{re.escape(artifact)}</artifactId>\s*{comment}<version>([^<]+)</version>", pom)
    if named := re.fullmatch(r"\$\{(.+)\}", version):
        for each in (pom, pom.parents[1] / "pom.xml"):
            if found := re.search(rf"<{re.escape(named[1])}>([^<]+)</", each.read_text("utf-8")):
                return found[1]
    return version


def go_module(folder: str, module: str) -> str:
    """Of a module in the `go.mod` of a folder; of one without releases, the day."""
    version = _first(rf"{re.escape(module)} v(\S+)", _HERE / folder / "go.mod")
    snapshot = re.fullmatch(r"0\.0\.0-(\d{4})(\d\d)(\d\d)\d{6}-[0-9a-f]{12}", version)
    return "-".join(snapshot.groups()) if snapshot else version


def cargo(folder: str, crate: str) -> str:
    """Of a crate in the `Cargo.toml` of a folder."""
    return _first(rf'^{re.escape(crate)} = "=([^"]+)"', _HERE / folder / "Cargo.toml")


def _first(pattern: str, file: Path) -> str:
    found = re.search(pattern, file.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None, f"{file} names nothing like {pattern}"
    return found[1]
