"""A provider's token: registries get it, nobody else sees it."""

import pytest

from gateway.model.endpoint import Endpoint, ServiceKey, masked

ENDPOINT = Endpoint("dubbo", "h", 1, ServiceKey("demo.Catalog"), parameters={"token": "s3 cret&", "zone": "a"})


def test_the_url_has_the_token_and_what_is_shown_has_not() -> None:
    assert Endpoint.parse(ENDPOINT.url) == ENDPOINT
    assert ENDPOINT.url == "dubbo://h:1/demo.Catalog?interface=demo.Catalog&token=s3+cret%26&zone=a"
    assert str(ENDPOINT) == f"{ENDPOINT}" == "dubbo://h:1/demo.Catalog?interface=demo.Catalog&token=***&zone=a"
    assert "cret" not in repr(ENDPOINT) + repr([ENDPOINT])


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("dubbo://h:1/s?token=abc", "dubbo://h:1/s?token=***"),
        ("dubbo://h:1/s?a=b&token=abc&c=d", "dubbo://h:1/s?a=b&token=***&c=d"),
        ("dubbo://h:1/s?Token=abc#x", "dubbo://h:1/s?Token=***#x"),
        ("dubbo://h:1/s?mytoken=abc", "dubbo://h:1/s?mytoken=abc"),
        ("dubbo://h:1/s?token=", "dubbo://h:1/s?token="),
    ],
)
def test_stars_stand_for_tokens_alone(url: str, shown: str) -> None:
    assert masked(url) == shown


@pytest.mark.parametrize(
    "url", ["h:1/s?token=s3cret", "dubbo://h:1?token=s3cret", "dubbo://h:1/s?weight=x&token=s3cret"]
)
def test_errors_do_not_show_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"token=\*\*\*") as caught:
        Endpoint.parse(url)
    assert "s3cret" not in str(caught.value)
