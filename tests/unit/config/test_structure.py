"""From plain data to sections: positions, wording, and what is kept of a file with mistakes."""

from __future__ import annotations

from gateway.config.document import parse_document
from gateway.config.model import GatewayConfig
from gateway.config.structure import read_sections


def read(text: str) -> tuple[GatewayConfig, list[str]]:
    document, problems = parse_document(text, "f.yaml", {})
    assert problems == []
    config, found, _ = read_sections(document)
    return config, [str(each) for each in found]


def test_a_right_file_has_no_problems() -> None:
    config, problems = read("application: {name: demo, drain: 500ms}\nlisteners:\n  a: {protocol: pipe, port: 7}\n")

    assert problems == []
    assert config.application.name == "demo"
    assert config.application.drain == 0.5
    assert config.listeners["a"].port == 7


def test_every_mistake_is_reported_with_position_and_path() -> None:
    _, problems = read(
        "aplication: {}\n"
        "listeners:\n"
        "  a: {protocol: pipe, prot: 1, limits: {calls: 0, frame: 8, idle: 0s}}\n"
        "  b: {port: x}\n"
        "  'c d': {protocol: pipe}\n"
        "services:\n"
        "  s: {listeners: a, weight: 2000000}\n"
        "  t: []\n"
        "filters: [x]\n"
        "telemetry: {logs: {format: xml}}\n"
    )

    assert sorted(problems) == sorted(
        [
            "f.yaml:1:1: aplication: unknown key, did you mean 'application'?",
            "f.yaml:3:23: listeners.a.prot: unknown key, did you mean 'port'?",
            "f.yaml:3:48: listeners.a.limits.calls: '0' must be at least 1",
            "f.yaml:3:58: listeners.a.limits.frame: '8' has no unit, write 8B or 8kB "
            "(units: B, kB, KB, MB, GB, KiB, MiB, GiB)",
            "f.yaml:3:67: listeners.a.limits.idle: '0s' must be more than 0s",
            "f.yaml:4:3: listeners.b.protocol: is required",
            "f.yaml:4:13: listeners.b.port: expected a whole number, found 'x'",
            "f.yaml:5:3: listeners.c d: 'c d' is not a name (letters, digits and _ . $ -, at most 200)",
            "f.yaml:7:18: services.s.listeners: expected a list, found 'a'",
            "f.yaml:7:29: services.s.weight: '2000000' must be at most 1000000",
            "f.yaml:8:6: services.t: expected a mapping, found a list",
            "f.yaml:9:10: filters: expected a mapping, found a list",
            "f.yaml:10:28: telemetry.logs.format: 'xml' is not one of text, json",
        ]
    )


def test_bounds_are_shown_in_the_unit_of_the_value() -> None:
    _, problems = read("listeners: {a: {protocol: p, limits: {frame: 10B, idle: 1000d}}}")

    assert {each.split(": ", 2)[2] for each in problems} == {
        "'10B' must be at least 1KiB",
        "'1000d' must be at most 7d",
    }


def test_wrong_values_leave_what_stands_beside_them() -> None:
    config, problems = read(
        "listeners:\n  a: {protocol: pipe, port: x, host: h}\n  b: {host: h}\n  c: {protocol: drum}\nservices: 5\n"
    )

    assert len(problems) == 3
    assert {name: each.host for name, each in config.listeners.items()} == {"a": "h", "c": "127.0.0.1"}
    assert config.listeners["c"].protocol == "drum"


def test_keys_with_nothing_behind_them_count_as_not_written() -> None:
    config, problems = read(
        "application:\nlisteners:\n  a:\n    protocol: pipe\n    port:\n    limits: null\n    filters: ~\n"
    )

    assert problems == []
    assert config.listeners["a"].port is None
    assert config.listeners["a"].filters == ()


def test_a_file_that_is_no_mapping_is_one_problem() -> None:
    _, problems = read("- a\n- b\n")

    assert problems == ["f.yaml:1:1: expected a mapping, found a list"]


def test_versions_and_groups_keep_their_spelling() -> None:
    config, problems = read("services: {s: {version: 1.10, group: no}}")

    assert problems == []
    assert (config.services["s"].version, config.services["s"].group) == ("1.10", "no")
