"""Modes and mocks beside the methods they are for, with the places in the file."""

from __future__ import annotations

import pytest

from gateway.plugins.catalog import Catalog
from tests.support.config_text import problems, usable

HEAD = """\
services:
  s:
    contract: gateway.demo.catalog:Catalog
    remote:
      addresses: ["dubbo://127.0.0.1:1"]
"""


def found(text: str) -> list[str]:
    return problems(HEAD + text, plugins=Catalog([]))


NO_EMPTY = "count() -> i64 has no empty value; failsafe needs a default for it"


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("methods: {count: {cluster: failsafe}}", "failsafe", f"methods.count.cluster: {NO_EMPTY}"),
        ("methods: {count: {cluster: {type: failsafe}}}", "cluster", f"methods.count.cluster: {NO_EMPTY}"),
        ("methods: {count: {cluster: {type: failsafe, options: {default: x}}}}", "x}",
         "methods.count.cluster.options.default: count() -> i64 cannot return the default: expected i64, found a text"),
        ("methods: {touch: {cluster: {type: failsafe, options: {cluster: failovr}}}}", "failovr",
         "methods.touch.cluster.options.cluster: there is no cluster mode 'failovr', did you mean 'failover'?"),
        ("methods: {touch: {cluster: {type: failsafe, options: {cluster: {type: failsafe, options: {default: 1}}}}}}",
         "1}", "methods.touch.cluster.options.cluster.options.default: touch(i64) -> null cannot return the default: "
         "expected null, found a number"),
        ("methods: {touch: {cluster: {type: failback, options: {cluster: broadcast}}}}", "broadcast",
         "methods.touch.cluster.options.cluster: 'broadcast' cannot stand here: what failback sends again goes to one "
         "provider only"),
        ("methods: {touch: {cluster: {type: mergeable, options: {cluster: {type: zone_aware, options: {cluster: "
         "failback}}}}}}", "{type: zone", "methods.touch.cluster.options.cluster: 'failback' cannot stand here: it "
         "would send the call of one group again to any of them"),
        ("methods: {count: {cluster: {type: forking, options: {forks: x}}}}", "x}",
         "methods.count.cluster.options.forks: expected a whole number, found 'x'"),
        ("mock: force:return 1", "force", "mock: find(i64) -> demo.Product cannot return this: expected demo.Product "
         "as an object, found a number"),
        ("methods: {count: {mock: return null}}", "return",
         "methods.count.mock: count() -> i64 cannot return this: null where i64 is required"),
        ("methods: {count: {mock: {when: force, return: x}}}", "x}",
         "methods.count.mock.return: count() -> i64 cannot return this: expected i64, found a text"),
        ("methods: {count: {mock: {when: force}}}", "{when",
         "methods.count.mock: count() -> i64 cannot return this: null where i64 is required"),
        ("methods: {find: {mock: {throw: demo.ProductNotFound}}}", "demo.Pro", "methods.find.mock.throw: "
         "demo.ProductNotFound cannot be made of these fields: the field 'product_id' of demo.ProductNotFound is "
         "missing"),
        ("methods: {count: {mock: default}}", "default", "methods.count.mock: 'default' is no mock; write "
         "[force:|fail:]return <value>, [force:|fail:]throw [<exception>], or a mapping with when and return (classes "
         "that mock a service are not supported)"),
    ],
)  # fmt: skip
def test_what_a_method_cannot_be_given_is_refused_where_it_is_written(text: str, at: str, expected: str) -> None:
    line = f"      {text}"
    assert found(line)[0] == f"6:{line.index(at) + 1}: services.s.remote.{expected}"


@pytest.mark.parametrize(
    "text",
    [
        "methods: {touch: {cluster: failsafe}, search: {cluster: failsafe}}",
        "methods: {count: {mock: {when: force, return: 7}}, slow: {mock: return none}, find: {mock: false}}",
        "mock: throw",
        "mock: throw java.lang.IllegalStateException\n      methods: {count: {mock: false}}",
    ],
)
def test_what_fits_is_accepted(text: str) -> None:
    assert found(f"      {text}") == []


def test_options_of_a_mode_within_a_mode_are_converted() -> None:
    inner = "{type: forking, options: {delay: 5ms}}"
    text = f"      methods: {{touch: {{cluster: {{type: failsafe, options: {{cluster: {inner}}}}}}}}}"
    config = usable(HEAD + text, plugins=Catalog([]))
    remote = config.services["s"].remote
    assert remote is not None
    mode = remote.methods["touch"].cluster
    assert mode is not None
    assert mode.options["cluster"].options == {"delay": 0.005}


def test_a_group_that_stands_for_several_leaves_the_group_of_each_address_open() -> None:
    text = HEAD.replace('"dubbo://127.0.0.1:1"', '"dubbo://127.0.0.1:1?group=a", "dubbo://127.0.0.1:2"')
    found = problems(f'{text}      group: "a,b"\n', plugins=Catalog([]))
    at = text.splitlines()[4].index('"dubbo://127.0.0.1:2') + 1
    assert found == [
        f"5:{at}: services.s.remote.addresses[1]: needs a group of its own (?group=…), because "
        "group 'a,b' stands for several"
    ]
    assert problems(f'{text}      group: ""\n', plugins=Catalog([])) == []


def test_a_remote_of_all_groups_may_not_find_itself() -> None:
    text = """\
    listeners: {{l: {{protocol: dubbo, port: 0}}}}
    registries: {{r: {{type: embedded}}}}
    services:
      s:
        contract: gateway.demo.catalog:Catalog
        group: front
        listeners: [l]
        announce: [r]
        remote: {{registries: [r], group: "{group}"}}
    """
    (problem,) = problems(text.format(group="*"), plugins=Catalog([]))
    assert "announced in registry 'r' and looked up there: it would call itself" in problem
    assert problems(text.format(group="a,b"), plugins=Catalog([])) == []
