"""Calls without a contract, as they go out over http://."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.jsonform.text import parse_json
from gateway.model.call import Invocation
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import ValueMappingError
from protocols.http_json.client import ClientOptions, JsonClientBinding

KEY = ServiceKey("demo.Catalog")
ENDPOINT = Endpoint("http", "127.0.0.1", 8080, KEY)


def sent(method: str, *arguments: Any, style: str = "polyport") -> tuple[str, Any]:
    """Path and body of the request."""
    binding = JsonClientBinding(ClientOptions(style=style))
    bound = binding.bind(ENDPOINT, KEY, None, "", "tests")
    request, _ = binding.encode_call(bound, Invocation(KEY, method, arguments), 1.0)
    return request.path, parse_json(request.body)


def test_the_call_of_a_generic_client_is_that_of_the_method_it_names() -> None:
    assert sent("$invoke", "find", None, [1]) == ("/demo.Catalog/find", [1])
    assert sent("$invoke", "find", ["long"], [1]) == ("/demo.Catalog/find", [1])
    assert sent("count") == ("/demo.Catalog/count", [])


def test_json_rpc_names_the_method_in_the_body() -> None:
    _, request = sent("$invoke", "find", None, [1], style="jsonrpc")

    assert (request["method"], request["params"]) == ("find", [1])


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (("find",), "args"),
        ((7, None, []), "args[0]"),
        (("find", None, 7), "args[2]"),
        (("find", None, [{7j}]), "args[0]"),
    ],
)
def test_what_is_no_call_is_refused_with_its_place(arguments: tuple[Any, ...], path: str) -> None:
    with pytest.raises(ValueMappingError) as caught:
        sent("$invoke", *arguments)
    assert caught.value.path.startswith(path)
