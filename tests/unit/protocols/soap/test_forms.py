"""Which elements inside of operations are in the namespace: messages and the schema of the WSDL say the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import etree

from gateway.contracts import contract_of
from gateway.model.call import Fault
from protocols.soap.envelope import V11
from protocols.soap.names import FORMS
from protocols.soap.schema import write_schema
from protocols.soap.service import Service
from tests.support.java_orders import FIRST, Orders
from tests.support.soap_bytes import body_of

CONTRACT = contract_of(Orders)
NS = "{http://shop/}"
NAMES = {
    "qualified": (f"{NS}arg0", f"{NS}customer"),
    "unqualified": ("arg0", "customer"),
    "parameters": (f"{NS}arg0", "customer"),
}


@pytest.mark.parametrize("form", FORMS)
def test_messages_are_what_the_schema_of_their_form_allows(form: str) -> None:
    service = Service(CONTRACT, "http://shop/", form)
    schema = etree.XMLSchema(etree.fromstring(write_schema(CONTRACT, "http://shop/", form).encode()))
    put, find = service.by_attribute["put"], service.by_attribute["find"]
    order = replace(FIRST, follows=FIRST)
    request = body_of(put.write_request(V11, "", (order,)))
    assert (request[0].tag, request[0][1].tag) == NAMES[form]
    schema.assertValid(request)
    schema.assertValid(body_of(find.write_response(V11, "", order)))
    fault = body_of(
        service.write_fault(V11, "", Fault("shop.OrderNotFound", "no order 7", {"orderId": 7}, declared=True))
    )
    schema.assertValid(fault.find("detail")[0])


@pytest.mark.parametrize(
    ("form", "text", "names"),
    [
        ("parameters", "no order 7", ["orderId"]),
        # What a fault would not say exactly is said beside it.
        ("parameters", " no order 7", ["orderId", "message"]),
        ("parameters", "", ["orderId", "message"]),
        ("unqualified", "no order 7", ["orderId", "message"]),
    ],
)
def test_dubbos_client_finds_no_text_in_a_detail_that_it_has_no_setter_for(
    form: str, text: str, names: list[str]
) -> None:
    """CXF 3.1 fails at any element that is no property of the exception's class, and Throwable's message is none."""
    service = Service(CONTRACT, "http://shop/", form)
    fault = Fault("shop.OrderNotFound", text, {"orderId": 7}, declared=True)
    (detail,) = body_of(service.write_fault(V11, "", fault)).find("detail")
    assert [each.tag for each in detail] == names
