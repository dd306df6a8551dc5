"""Who registered what."""

from __future__ import annotations

from importlib.metadata import EntryPoint, version
from pathlib import Path

import pytest

from gateway.plugins.builtin import BUILTIN
from gateway.plugins.registration import GROUPS, collisions, registrations


def test_what_ships_belongs_to_this_distribution() -> None:
    found = registrations([])

    assert len(found) == sum(map(len, BUILTIN.values()))
    assert {each.owner for each in found} == {f"polyport {version('polyport')}"}
    assert collisions(found) == {}


def test_an_entry_point_bears_the_name_and_version_of_its_distribution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    info = tmp_path / "pigeon_post-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pigeon-post\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gateway.protocols]\npigeon = pigeon:PLUGIN\n")

    (found,) = [each for each in registrations() if each.name == "pigeon"]

    assert (found.kind, found.target, found.distribution, found.version) == (
        "protocol",
        "pigeon:PLUGIN",
        "pigeon-post",
        "1.0",
    )
    assert str(found) == "pigeon:PLUGIN of pigeon-post 1.0"


def test_without_a_distribution_the_owner_is_unknown() -> None:
    (found,) = [each for each in registrations([EntryPoint("x", "a:A", GROUPS["filter"])]) if each.name == "x"]

    assert str(found) == "a:A of an unknown distribution"


def test_other_groups_are_nobodys_business() -> None:
    assert len(registrations([EntryPoint("x", "a:A", "console_scripts")])) == len(registrations([]))


def test_collisions_name_every_owner() -> None:
    group = GROUPS["balance"]
    entries = [EntryPoint("random", "a:A", group), EntryPoint("random", "b:B", group), EntryPoint("y", "c:C", group)]

    assert collisions(registrations(entries)) == {
        ("balance", "random"): "balance 'random' exists 3 times: gateway.balance.weighted_random:PLUGIN of "
        f"polyport {version('polyport')} and a:A of an unknown distribution and b:B of an unknown distribution; "
        "uninstall all but one"
    }
