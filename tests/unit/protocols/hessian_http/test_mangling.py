"""Names of overloads. Expected values were captured from com.caucho:hessian 4.0.38 (its AbstractSkeleton)."""

from __future__ import annotations

import pytest

from protocols.hessian_http.mangling import counted_name, mangled_name, split_count


@pytest.mark.parametrize(
    ("types", "short", "full"),
    [
        ([], "m", "m"),
        (["int", "java.lang.Integer"], "m_int_int", "m_int_int"),
        (["byte", "java.lang.Short"], "m_int_int", "m_int_int"),
        (["long"], "m_long", "m_long"),
        (["float", "java.lang.Double"], "m_double_double", "m_double_double"),
        (["boolean"], "m_boolean", "m_boolean"),
        (["char", "java.lang.String"], "m_string_string", "m_string_string"),
        (["java.util.Date"], "m_date", "m_date"),
        (["byte[]"], "m_binary", "m_binary"),
        (["int[]"], "m_[int", "m_[int"),
        (["java.lang.String[]"], "m_[string", "m_[string"),
        (["java.lang.Object[]"], "m_[Object", "m_[java.lang.Object"),
        (["int[][]"], "m_[[int", "m_[[int"),
        (["java.util.List", "java.math.BigDecimal"], "m_List_BigDecimal", "m_java.util.List_java.math.BigDecimal"),
        (["java.lang.Thread$State"], "m_Thread$State", "m_java.lang.Thread$State"),
    ],
)
def test_types_stand_behind_the_name(types: list[str], short: str, full: str) -> None:
    assert mangled_name("m", types) == short
    assert mangled_name("m", types, full=True) == full


def test_a_count_stands_behind_the_name() -> None:
    assert counted_name("add", 2) == "add__2"
    assert split_count("add__2") == ("add", 2)


@pytest.mark.parametrize("name", ["add", "__2", "add__", "add__x", "add__-1", "add__9999", "add_2", "add__²"])
def test_other_names_have_no_count(name: str) -> None:
    assert split_count(name) is None
