from collections import Counter

import pytest

from gateway.model.typeref import Kind, TypeRef
from protocols.testing import CONTRACT, CORPUS, KEYS, Case


def test_names_are_unique() -> None:
    counts = Counter(case.name for case in (*CORPUS, *KEYS))
    assert [name for name, count in counts.items() if count > 1] == []


def test_every_echo_is_used() -> None:
    used = {case.method for case in CORPUS}
    assert used == {each.attribute for each in CONTRACT.methods if each.attribute.startswith("echo_")} - {
        "echo_attachments"
    }


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_a_case_fits_its_method(case: Case) -> None:
    (method,) = (each for each in CONTRACT.methods if each.attribute == case.method)
    assert method.returns == case.type
    assert len(case.arguments) == len(method.params)


def test_every_kind_appears() -> None:
    found: set[Kind] = set()

    def walk(ref: TypeRef) -> None:
        found.add(ref.kind)
        for each in ref.args:
            walk(each)

    for case in (*CORPUS, *KEYS):
        walk(case.type)
    assert found == set(Kind) - {Kind.EXCEPTION, Kind.CALLBACK}


def test_only_what_is_large_says_so() -> None:
    def size(value: object) -> int:
        if isinstance(value, str):
            return len(value.encode("utf-8", "surrogatepass"))
        return len(value) if isinstance(value, bytes) else 0

    assert [case.name for case in CORPUS if case.large] == [case.name for case in CORPUS if size(case.value) > 150_000]


def test_widths_are_covered_at_both_edges() -> None:
    values = {case.name: case.value for case in CORPUS}
    assert (values["i8/min"], values["i8/max"]) == (-128, 127)
    assert (values["i16/min"], values["i16/max"]) == (-32768, 32767)
    assert (values["i32/min"], values["i32/max"]) == (-2147483648, 2147483647)
    assert (values["i64/min"], values["i64/max"]) == (-9223372036854775808, 9223372036854775807)
    assert values["i64/2^53+1"] == 9007199254740993
    assert len(values["string/1MiB"]) == len(values["bytes/1MiB"]) == 1048576
    assert values["long_list/boundaries"][0] == -(2**53) - 1
