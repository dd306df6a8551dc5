import pytest

from gateway.model.endpoint import ServiceKey


@pytest.mark.parametrize(
    ("group", "groups"),
    [("", ()), ("blue", ()), ("*", ("*",)), ("blue,red", ("blue", "red")), ("blue, red", ("blue", "red"))],
)
def test_a_group_of_a_reference_may_stand_for_several(group: str, groups: tuple[str, ...]) -> None:
    assert ServiceKey("demo.Catalog", group).groups == groups


@pytest.mark.parametrize(
    ("group", "covered"),
    [
        ("", {""}),
        ("blue", {"blue"}),
        ("*", {"", "blue", "red"}),
        ("blue,red", {"blue", "red"}),
        ("red,green", {"red"}),
    ],
)
def test_a_reference_covers_the_groups_it_means(group: str, covered: set[str]) -> None:
    wanted = ServiceKey("demo.Catalog", group)
    assert {each for each in ("", "blue", "red") if wanted.covers(ServiceKey("demo.Catalog", each))} == covered


def test_interface_and_version_must_be_the_same() -> None:
    wanted = ServiceKey("demo.Catalog", "*", "1.0.0")
    assert wanted.covers(ServiceKey("demo.Catalog", "a", "1.0.0"))
    assert not wanted.covers(ServiceKey("demo.Catalog", "a"))
    assert not wanted.covers(ServiceKey("demo.Types", "a", "1.0.0"))
    assert ServiceKey("demo.Catalog", "*").covers(ServiceKey("demo.Catalog", "a", "0.0.0"))
