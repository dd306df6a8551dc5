"""The section `failback`, and whether the mode can be used."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gateway.config import examine_text
from gateway.config.sections.failback import FailbackConfig
from gateway.plugins.catalog import Catalog
from tests.support.config_text import examined, problems, usable


def test_the_file_lies_beside_the_configuration_unless_it_says_otherwise(tmp_path: Path) -> None:
    for written, path in (
        ("{}", tmp_path / "f.failback.db"),
        ("{path: calls.db}", tmp_path / "calls.db"),
        ("{path: /var/lib/calls.db}", Path("/var/lib/calls.db")),
        ("{path: ~/calls.db}", Path.home() / "calls.db"),
    ):
        found = examined(f"failback: {written}\n", folder=tmp_path)
        assert found.config is not None
        assert found.config.failback.path == str(path)
    assert usable("").failback.expires == 86400.0


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{store: redsi}", "'redsi' is not one of sqlite, redis, did you mean 'redis'?"),
        ("{store: redis}", "the store redis needs a url"),
        ("{store: redis, url: 'http://h:1'}", "is not redis://host:port/database or rediss://…"),
        ("{store: redis, url: 'redis://h:x'}", "is not redis://host:port/database or rediss://…"),
        ("{store: redis, url: 'redis://:pw@h:1'}", "holds a password; name a credential instead"),
        ("{store: redis, url: 'redis://h:1', path: a.db}", "is for the store sqlite"),
        ("{url: 'redis://h:1'}", "is for the store redis"),
        ("{store: redis, url: 'redis://h:1', credential: nobody}", "there is no credential 'nobody'"),
        ("{interval: 10s, max_interval: 5s}", "must not be less than interval"),
        ("{limit: 0}", "'0' must be at least 1"),
        ("{size: 1B}", "'1B' must be at least 1KiB"),
        ("{expires: 0s}", "'0s' must be more than 0s"),
        ("{expire: 1d}", "unknown key, did you mean 'expires'?"),
    ],
)
def test_what_is_wrong_is_reported(written: str, message: str) -> None:
    (found,) = problems(f"failback: {written}\n")
    assert message in found
    assert "pw" not in found


def test_a_credential_of_the_store_is_used() -> None:
    found = examined(
        """
        failback: {store: redis, url: "redis://h:1/2", credential: pw}
        credentials: {pw: {env: PW}}
        """,
        {"PW": "hunter2"},
    )
    assert found.problems == ()
    assert not [each for each in found.warnings if "credential" in str(each)]


def test_a_store_whose_package_is_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    (found,) = problems("failback: {store: redis, url: 'redis://h:1'}\n")
    assert "pip install 'polyport[redis]'" in found


SERVICE = """\
services:
  probe:
    contract: tests.support.probe_service:Probe
    remote:
      addresses: ["dubbo://127.0.0.1:1"]
"""


def found_in(remote: str) -> list[str]:
    text = SERVICE + "".join(f"      {line}\n" for line in remote.splitlines())
    return [str(each).removeprefix("f.yaml:") for each in examine_text(text, "f.yaml", Catalog([]), {}).problems]


def test_the_mode_is_refused_for_methods_that_cannot_be_answered_with_nothing() -> None:
    found = found_in("cluster: failback\nmethods: {remaining_ms: {timeout: 1s}}")
    assert len(found) == 5
    assert (
        "6:16: services.probe.remote.cluster: size(bytes) -> i32 has no empty value; failback needs a default for it"
    ) in found
    assert not [each for each in found if "note(" in each or "remaining_ms(" in each]


def test_the_mode_of_single_methods_is_checked_where_it_stands() -> None:
    (found,) = found_in(
        "methods:\n"
        "  note: {cluster: failback}\n"
        "  size: {cluster: {type: failback, options: {default: 0, expires: 1h}}}\n"
        "  name: {cluster: {type: failback, options: {default: 7}}}"
    )
    assert "services.probe.remote.methods.name.cluster" in found
    assert "expected string, found a number" in found


def test_settings_of_a_program_are_plain_numbers() -> None:
    assert FailbackConfig.model_validate({"expires": 60, "size": 2048}).expires == 60.0
