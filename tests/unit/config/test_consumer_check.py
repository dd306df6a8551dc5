"""What consumers may choose, and what a service says by protocol."""

from __future__ import annotations

import pytest

from gateway.model.contract import ServiceContract
from tests.support.config_text import BASE, examined, problems, usable
from tests.support.fake_plugins import FakePlugins

CONTRACT = "contract: tests.support.greeting:Greeting"
HOSTED = f"here: {{{CONTRACT}, implementation: tests.support.greeting:Greeter, listeners: [pipe]"
FOUND = f"found: {{{CONTRACT}, group: g, listeners: [pipe], remote: {{registries: [local]"
FIXED = f"fixed: {{{CONTRACT}, group: h, listeners: [pipe], remote: {{addresses: ['pipe://h:1', 'pipe://h:2']"


def text(*services: str, consumers: str = "") -> str:
    lines = "".join(f"  {each}\n" for each in services)
    return f"{BASE}services:\n{lines}" + (f"consumers:\n  {consumers}\n" if consumers else "")


def found(*services: str, consumers: str = "", plugins: FakePlugins | None = None) -> list[str]:
    return [each.split(": ", 1)[1] for each in problems(text(*services, consumers=consumers), plugins=plugins)]


def warnings(*services: str, consumers: str = "") -> list[str]:
    checked = examined(text(*services, consumers=consumers))
    assert checked.problems == ()
    return [f"{each.path}: {each.message}" for each in checked.warnings]


def test_protocols_are_chosen_by_consumer_and_service() -> None:
    config = usable(
        text(
            f"{FOUND}, protocol: pipe, fallback: [drum], protocols: {{pipe: {{compress: true}}, drum: {{}}}}}}}}",
            consumers="billing: {protocol: drum, fallback: false, services: {found: {protocol: pipe, fallback: []}}}",
        )
    )

    remote = config.services["found"].remote
    assert remote is not None
    assert (remote.protocol, remote.fallback) == ("pipe", ("drum",))
    assert remote.parameters() == {"pipe": {"compress": True}, "drum": {}}
    assert config.consumers["billing"].fallback == ()
    assert config.consumers["billing"].services["found"].fallback == ()


@pytest.mark.parametrize(
    ("consumers", "expected"),
    [
        ("a: {protocol: pip}", ["consumers.a.protocol: there is no protocol 'pip', did you mean 'pipe'?"]),
        ("a: {services: {fuond: {protocol: pipe}}}",
         ["consumers.a.services.fuond: there is no service 'fuond', did you mean 'found'?"]),
        ("a: {protocol: pipe, fallback: [drum, drm, pipe]}",
         ["consumers.a.fallback[1]: there is no protocol 'drm', did you mean 'drum'?",
          "consumers.a.fallback[2]: 'pipe' is tried before already"]),
        ("a: {protocol: pipe, fallback: true}",
         ["consumers.a.fallback: expected a list of protocols, or false, found 'true'"]),
        ("a: {services: {found: {protocol: pipe, fallback: [drm]}}}",
         ["consumers.a.services.found.fallback[0]: there is no protocol 'drm', did you mean 'drum'?"]),
    ],
)  # fmt: skip
def test_names_exist_and_stand_once(consumers: str, expected: list[str]) -> None:
    assert found(f"{FOUND}}}}}", consumers=consumers) == expected


def test_unknown_services_are_reported_at_their_names() -> None:
    file = text(f"{FOUND}}}}}", consumers="a: {services: {nope: {protocol: pipe}}}")

    assert problems(file)[0].startswith("8:18: consumers.a.services.nope: there is no service 'nope'")


@pytest.mark.parametrize(
    ("consumers", "expected"),
    [
        ("a: {services: {fixed: {protocol: drum}}}",
         ["consumers.a.services.fixed.protocol: service 'fixed' has no address of protocol 'drum', only of pipe"]),
        ("a: {protocol: drum, fallback: false}",
         ["consumers.a.protocol: service 'fixed' has no address of protocol 'drum', only of pipe"]),
        # For all services of a consumer it need not be possible everywhere, as long as there is another way.
        ("a: {protocol: drum}", []),
        ("a: {protocol: drum, fallback: [pipe]}", []),
        ("a: {protocol: drum, fallback: false, services: {fixed: {protocol: pipe}}}", []),
    ],
)  # fmt: skip
def test_a_choice_leads_to_an_address(consumers: str, expected: list[str]) -> None:
    assert found(f"{FIXED}}}}}", consumers=consumers) == expected


@pytest.mark.parametrize(
    ("remote", "consumers", "expected"),
    [
        ("protocol: drum", "a: {protocol: pipe}", ["consumers.a.protocol"]),
        ("protocol: drum", "a: {services: {found: {protocol: pipe}}}", ["consumers.a.services.found.protocol"]),
        ("protocol: drum", "a: {services: {found: {protocol: drum, fallback: [pipe]}}}",
         ["consumers.a.services.found.fallback[0]"]),
        # What a consumer falls back to anywhere is no promise about this service.
        ("protocol: drum", "a: {protocol: drum, fallback: [pipe]}", []),
        ("protocol: pipe", "a: {protocol: pipe}", ["services.found.remote"]),
        ("protocol: drum, fallback: [pipe]", "a: {protocol: drum}", ["services.found.remote"]),
    ],
)  # fmt: skip
def test_a_contract_can_travel_over_what_is_chosen(remote: str, consumers: str, expected: list[str]) -> None:
    def cannot(_: ServiceContract) -> list[str]:
        return ["test.Greeting.greet: too kind"]

    service = f"{FOUND.replace('listeners: [pipe], ', '')}, {remote}}}}}"
    reported = found(service, consumers=consumers, plugins=FakePlugins(cannot))

    message = "protocol 'pipe' cannot carry test.Greeting: test.Greeting.greet: too kind"
    assert reported == [f"{path}: {message}" for path in expected]


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        ("protocols: {pip: {}}", "protocols.pip: there is no protocol 'pip', did you mean 'pipe'?"),
        ("protocols: {pipe: {compres: true}}",
         "protocols.pipe.compres: unknown option, did you mean 'compress'?"),
        ("protocols: {pipe: {routes: {greet: 3}}}", "protocols.pipe.routes.greet: '3' is not an even number"),
        ("fallback: [pipe]", "fallback: needs a protocol beside it"),
        ("protocol: pipe, fallback: [drum], options: {compress: true}",
         "options: options are for one protocol, not for pipe and drum"),
        ("protocol: pipe, options: {compress: true}, protocols: {pipe: {}}",
         "protocols.pipe: its options stand under options too"),
        ("protocol: pipe, options: {routes: {greed: 2}}",
         "options.routes.greed: test.Greeting has no method 'greed'"),
        ("protocol: pipe, protocols: {pipe: {routes: {greed: 2}}}",
         "protocols.pipe.routes.greed: test.Greeting has no method 'greed'"),
    ],
)  # fmt: skip
def test_options_of_a_reference_are_those_of_their_protocol(remote: str, expected: str) -> None:
    (problem,) = found(f"{FOUND}, {remote}}}}}")

    assert problem.startswith(f"services.found.remote.{expected}")


@pytest.mark.parametrize(
    ("protocols", "expected"),
    [
        ("{pip: {}}", "protocols.pip: there is no protocol 'pip', did you mean 'pipe'?"),
        ("{pipe: {rutes: {}}}", "protocols.pipe.rutes: unknown option, did you mean 'routes'?"),
        ("{pipe: {key: nope}}", "protocols.pipe.key: there is no credential 'nope' (there are none)"),
        ("{pipe: {routes: {greet: 2, greed: 4}}}", "protocols.pipe.routes.greed: test.Greeting has no method 'greed'"),
        ("{pipe: {routes: {greet: 0}}}", "protocols.pipe: 0 is no route"),
        ("{pipe: 5}", "protocols.pipe: expected a mapping, found '5'"),
    ],
)
def test_what_a_service_says_about_a_protocol_fits_plug_in_and_contract(protocols: str, expected: str) -> None:
    assert found(f"{HOSTED}, protocols: {protocols}}}") == [f"services.here.{expected}"]


def test_what_never_comes_into_play_is_probably_not_meant() -> None:
    assert warnings(
        f"{HOSTED}, protocols: {{drum: {{}}, pipe: {{}}}}}}",
        f"{FIXED}, protocols: {{drum: {{}}, pipe: {{}}}}}}}}",
        f"{FOUND}, protocol: pipe, protocols: {{drum: {{}}}}}}}}",
        consumers="a: {services: {here: {protocol: pipe}, found: {protocol: drum}}}",
    ) == [
        "services.here.protocols.drum: no listener of this service speaks this protocol",
        "services.fixed.remote.protocols.drum: this service is never called over this protocol",
        "consumers.a.services.here: service 'here' is hosted here; there is no protocol to choose",
    ]


def test_a_named_filter_that_a_call_passes_twice_is_probably_not_meant() -> None:
    base = BASE.replace("{protocol: pipe}", "{protocol: pipe, filters: [one, note]}")
    checked = examined(
        f"{base}services:\n"
        f"  {HOSTED}, filters: [two, note, one]}}\n"
        f"  {FOUND}, filters: [two2]}}, filters: [two2]}}\n"
        "filters: {one: {type: note}, two: {type: note}, two2: {type: note}}\n"
    )

    assert checked.problems == ()
    assert [f"{each.path}: {each.message}" for each in checked.warnings if "twice" in each.message] == [
        "services.here.filters[2]: stands at listener 'pipe' too: calls pass it twice",
        "services.found.remote.filters[0]: stands at the service too: calls pass it twice",
    ]
