import tracemalloc
from urllib.parse import parse_qsl

import pytest

from gateway.model.endpoint import Endpoint, ServiceKey


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


@pytest.mark.parametrize("weight", ["-1", "1.5", "ten", "1000000000", "9" * 400, "٣"])
def test_a_weight_that_nobody_can_mean_is_refused(weight: str) -> None:
    with pytest.raises(ValueError, match="the weight is not a whole number of at most 9 digits"):
        Endpoint.parse(f"dubbo://10.0.0.1:20880/demo.Catalog?weight={weight}")


def test_a_large_weight_is_taken() -> None:
    assert Endpoint.parse("dubbo://10.0.0.1:20880/demo.Catalog?weight=999999999").weight == 999_999_999


def test_parameters_of_a_url_are_a_mapping_like_any_other() -> None:
    endpoint = Endpoint.parse("dubbo://h:1/a.B?token=t%20x&empty=&gr%6Fup=blue&version=1.0&weight=7&token=last")
    assert (str(endpoint.service), endpoint.weight) == ("blue/a.B:1.0", 7)
    assert dict(endpoint.parameters) == {"token": "last", "empty": ""}
    assert endpoint.parameters == {"token": "last", "empty": ""}
    assert endpoint.parameters.get("version", "none") == "none"
    assert len(endpoint.parameters) == 2
    same = Endpoint.parse("dubbo://h:1/a.B?empty=&token=last&group=blue&version=1.0&weight=7")
    assert endpoint == same
    assert endpoint != Endpoint.parse("dubbo://h:1/a.B?token=other&group=blue&version=1.0&weight=7")
    assert "last" not in repr(endpoint.parameters)


def test_ten_thousand_urls_take_less_than_a_kibibyte_each() -> None:
    urls = [
        f"dubbo://10.0.{number >> 8}.{number & 255}:20880/a.B?anyhost=true&application=shop&dubbo=2.0.2"
        f"&deprecated=false&dynamic=true&generic=false&interface=a.B&methods=find,put&pid={number}&release=2.7.23&side=provider"
        f"&timestamp={1_700_000_000_000 + number}"
        for number in range(10_000)
    ]
    tracemalloc.start()
    try:
        kept = [Endpoint.parse(each) for each in urls]
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used / len(kept) < 1024


def test_all_parameters_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read = Endpoint.parse("dubbo://10.0.0.1:1/demo.Catalog?a=1&b=%20&weight=7").parameters
    calls: list[str] = []

    def counting(query: str, keep_blank_values: bool) -> list[tuple[str, str]]:
        calls.append(query)
        return parse_qsl(query, keep_blank_values=keep_blank_values)

    monkeypatch.setattr("gateway.model.endpoint.parse_qsl", counting)
    assert dict(read.items()) == {"a": "1", "b": " "}
    assert len(calls) == 1


def test_values_stand_in_a_url_as_java_writes_and_reads_them() -> None:
    # As apache/dubbo: dubbo-common/.../common/URL.java (`buildParameters`) writes what it holds.
    said = {"methods": "find,count", "token": "a/b:c@d*", "owner": "a&b=c"}
    endpoint = Endpoint("dubbo", "h", 1, ServiceKey("s.S"), parameters=said)
    assert endpoint.url == "dubbo://h:1/s.S?interface=s.S&methods=find,count&owner=a%26b%3Dc&token=a/b:c@d*"
    assert Endpoint.parse(endpoint.url) == endpoint


@pytest.mark.parametrize(
    ("url", "path"),
    [
        # As apache/dubbo: dubbo-config/.../ServiceConfig.java writes one with `contextpath`, with `path`, without both.
        ("hessian://h:1/shop/s.S?interface=s.S", "shop/s.S"),
        ("hessian://h:1/orders?interface=s.S", "orders"),
        ("hessian://h:1/s.S?interface=s.S", ""),
        ("hessian://h:1/a%20b/s.S?interface=s.S&group=g", "a%20b/s.S"),
        ("hessian://h:1/s%2ES?interface=s.S", ""),
        ("hessian://h:1?interface=s.S", ""),
        ("hessian://h:1/s.S", ""),
    ],
)
def test_the_path_of_a_url_is_kept_where_it_is_not_the_interface(url: str, path: str) -> None:
    endpoint = Endpoint.parse(url)
    assert (endpoint.service.interface, endpoint.path) == ("s.S", path)
    assert Endpoint.parse(endpoint.url) == endpoint
    assert f"/{path or 's.S'}?" in endpoint.url
