"""The schema of the WSDL against the codec, with libxml2 as judge.

What is written is valid, and what is read is what the schema allows.
"""

from __future__ import annotations

import pytest
from lxml import etree

from gateway.model.call import Invocation, Ok
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import BadRequest, ValueMappingError
from gateway.model.exposure import Exposure
from protocols.http.message import HttpRequest, HttpResponse
from protocols.soap.client import ClientOptions, SoapClientBinding
from protocols.soap.schema import write_schema
from protocols.soap.server import SoapBinding
from protocols.testing import CONTRACT, CORPUS, FAULTS, Case, FaultCase
from tests.support.soap_bytes import TYPES, body_of, envelope

KEY = ServiceKey(CONTRACT.name)
SCHEMA = etree.XMLSchema(etree.fromstring(write_schema(CONTRACT, TYPES).encode()))
SERVER = SoapBinding([Exposure(KEY, CONTRACT)], max_reply_bytes=64 << 20)
CLIENT = SoapClientBinding(ClientOptions(max_request_bytes=64 << 20))
BOUND = CLIENT.bind(Endpoint("webservice", "a", 1, KEY), KEY, CONTRACT, "", "tests")
METHODS = {method.attribute: method for method in CONTRACT.methods}


def request_of(case: Case) -> HttpRequest:
    signature = METHODS[case.method]
    invocation = Invocation(KEY, signature.name, case.arguments, signature=signature)
    return CLIENT.encode_call(BOUND, invocation, None)[0]


def written(case: Case) -> bool:
    try:
        request_of(case)
    except ValueMappingError:
        return False
    return True


WRITTEN = [case for case in CORPUS if not case.large and written(case)]


def assert_valid(element: etree._Element) -> None:
    assert SCHEMA.validate(element), f"{SCHEMA.error_log.last_error}: {etree.tostring(element)[:500]!r}"


def test_nearly_all_of_the_corpus_is_written() -> None:
    assert len(WRITTEN) > 0.9 * len([case for case in CORPUS if not case.large])


@pytest.mark.parametrize("case", WRITTEN, ids=lambda case: case.name)
def test_what_is_written_is_valid(case: Case) -> None:
    request = request_of(case)
    assert_valid(body_of(request.body))
    exchange = SERVER.decode_call(request, 0.0)
    assert not isinstance(exchange, HttpResponse), exchange.body
    assert_valid(body_of(exchange.encode_reply([Ok(case.value)]).body))


@pytest.mark.parametrize("case", [each for each in FAULTS if each.fault.declared], ids=lambda case: case.name)
def test_the_detail_of_a_fault_is_valid(case: FaultCase) -> None:
    exchange = SERVER.decode_call(_call("fail_declared", "<message>x</message>"), 0.0)
    assert not isinstance(exchange, HttpResponse)
    fault = body_of(exchange.encode_reply([case.fault]).body)
    detail = fault.find("detail")
    assert detail is not None
    assert_valid(detail[0])


def _call(operation: str, inside: str) -> HttpRequest:
    body = envelope(f'<{operation} xmlns="{TYPES}">{inside}</{operation}>')
    return HttpRequest("POST", f"/{CONTRACT.name}", "", body=body)


def verdicts(operation: str, inside: str) -> tuple[bool, bool]:
    """Whether the schema allows a request, and whether it is read."""
    request = _call(operation, inside)
    allowed = SCHEMA.validate(body_of(request.body))
    exchange = SERVER.decode_call(request, 0.0)
    assert not isinstance(exchange, HttpResponse), exchange.body
    try:
        exchange.calls[0].arguments()
    except BadRequest:
        return allowed, False
    return allowed, True


_NUMBERS = (
    "0", "1", "-1", "+1", "007", "-0", " 5 ", "\n5\t", "", " ", "1 2", "1.0", "1.", ".5", "1e3", "1E-3", "0x10", "1_0",
    "\u0661",
    "127", "128", "-128", "-129", "255", "256", "32767", "32768", "65535", "65536", "2147483647", "2147483648",
    "-2147483648", "-2147483649", "9223372036854775807", "9223372036854775808", "-9223372036854775809",
    "INF", "-INF", "NaN", "Infinity", "inf", "nan", "--1", "+", "-", ".", "e5", "99999999999999999999999999",
)  # fmt: skip
_BOOLS = ("true", "false", "1", "0", " true ", "TRUE", "True", "yes", "", "2", "tru e")
_DATES = (
    "2026-08-14", "2026-8-14", "2026-02-29", "2024-02-29", "2026-13-01", "2026-00-10", "0000-01-01", "2026-08-14Z",
    "2026-08-14+02:00", "2026-08-14+15:00", "14.08.2026", "", "26-08-14", "2026-08-14T00:00:00",
)  # fmt: skip
_TIMES = ("09:26:53", "09:26:53.5", "9:26:53", "09:26", "25:00:00", "09:60:00", "09:26:61", "", "09:26:53.", "noon")
_MOMENTS = (
    "2026-08-14T09:26:53Z", "2026-08-14T09:26:53.589793Z", "2026-08-14T09:26:53+02:00", "2026-08-14T09:26:53-14:00",
    "2026-08-14 09:26:53Z", "2026-08-14T09:26Z", "2026-08-14T25:00:00Z", "2026-08-14t09:26:53z", "2026-08-14",
    "2026-08-14T09:26:53+14:30", "", "now",
)  # fmt: skip
_LOCAL = ("2026-08-14T09:26:53", "2026-08-14T09:26:53.5", "2026-08-14T09:26:53Z", "2026-08-14T09:26:53+02:00", "", "x",
          "2026-08-14T09:26:53-02:00", "2026-08-14")  # fmt: skip
_DURATIONS = (
    "PT1S", "PT1.5S", "-PT1.5S", "P1D", "P1DT1H", "PT1H30M", "P0Y0M1DT0H0M0.000S", "PT", "P", "", "1S", "P1DT",
    "+PT1S", "PT-1S", "P-1D", "PT1S1M", "PT0S", "P1W", "PT1H1H",
)  # fmt: skip
_UUIDS = (
    "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", "f81d4fae7dec11d0a76500a0c91e6bf6",
    "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}", "", "f81d4fae-7dec-11d0-a765-00a0c91e6bf", "x",
)  # fmt: skip
_BYTES = (
    "",
    "AA==",
    "AAA=",
    "AAAA",
    "AAAAA",
    "A",
    "====",
    "AA=",
    "A A A A",
    "AAAA\nAAAA",
    "AA==AA==",
    "AAA!",
    "AA-_",
    "AB==",
)
_ENUMS = ("ACTIVE", "active", "", "ACTIVE ", "PREORDER", "7")
_LEXICAL = {
    **dict.fromkeys(("i8", "i16", "i32", "i64", "bigint", "decimal", "f32", "f64", "char"), _NUMBERS),
    "bool": _BOOLS,
    "date": _DATES,
    "time": _TIMES,
    "datetime": _MOMENTS,
    "local_datetime": _LOCAL,
    "duration": _DURATIONS,
    "uuid": _UUIDS,
    "bytes": _BYTES,
    "enum": _ENUMS,
}


@pytest.mark.parametrize("kind", _LEXICAL)
def test_texts_of_scalars_are_read_when_the_schema_allows_them(kind: str) -> None:
    differing = {}
    for text in _LEXICAL[kind]:
        allowed, read = verdicts(f"echo_{kind}", f"<value>{text}</value>")
        if allowed != read:
            differing[text] = (allowed, read)
    assert differing == {}


@pytest.mark.parametrize(
    ("operation", "text"), [("echo_f64", "1e"), ("echo_duration", "PT1.S"), ("echo_bytes", "!!!!")]
)
def test_what_xml_schema_forbids_is_refused_though_libxml2_allows_it(operation: str, text: str) -> None:
    """XML Schema Part 2, sections 3.2.5, 3.2.6 and 3.2.16."""
    assert verdicts(operation, f"<value>{text}</value>") == (True, False)


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        ("echo_f64", "1e999"),  # would become an infinity
        ("echo_f32", "3.5e38"),
        ("echo_datetime", "2026-08-14T09:26:53"),  # an instant needs a zone
        ("echo_datetime", "2026-08-14T09:26:53.1234567Z"),  # finer than a microsecond
        ("echo_datetime", "12026-08-14T09:26:53Z"),  # beyond what Python counts
        ("echo_time", "09:26:53Z"),  # a time of day has none
        ("echo_date", "-0044-03-15"),
        ("echo_duration", "P1Y"),  # has no fixed length
        ("echo_duration", "PT0.0000001S"),
    ],
)
def test_what_would_change_is_refused_though_the_schema_allows_it(operation: str, text: str) -> None:
    assert verdicts(operation, f"<value>{text}</value>") == (True, False)


_NIL = 'xsi:nil="true"'
_SHAPES = [
    ("echo_i32", ""),
    ("echo_i32", "<value>1</value><value>2</value>"),
    ("echo_i32", "<value>1</value><other>2</other>"),
    ("echo_i32", "<value><deep>1</deep></value>"),
    ("echo_i32", f"<value {_NIL}/>"),
    ("echo_i32", "text<value>1</value>"),
    ("echo_i32", "<value>1</value>text"),
    ("echo_i32", " <value>1</value>\n<!-- remark -->"),
    ("echo_i32", "<value>1<!-- remark -->2</value>"),
    ("echo_i32", "<value><![CDATA[12]]></value>"),
    ("echo_i32", '<value kind="x">1</value>'),
    ("echo_i32", '<value xsi:type="xs:int">1</value>'),
    ("echo_i32", '<value xsi:type="xs:short">1</value>'),
    ("echo_i32", '<value xsi:type="xs:short">70000</value>'),
    ("echo_i32", '<value xsi:type="xs:long">1</value>'),
    ("echo_i32", '<value xsi:type="xs:string">1</value>'),
    ("echo_i32", '<value xsi:type="xs:nothing">1</value>'),
    ("echo_i32", '<value xsi:type="unbound:int">1</value>'),
    ("echo_i32", '<value xsi:schemaLocation="http://demo/ http://nowhere.invalid/x.xsd">1</value>'),
    ("echo_boxed_i32", ""),
    ("echo_boxed_i32", f"<value {_NIL}/>"),
    ("echo_boxed_i32", '<value xsi:nil="1"></value>'),
    ("echo_boxed_i32", '<value xsi:nil="false">3</value>'),
    ("echo_boxed_i32", '<value xsi:nil="maybe">3</value>'),
    ("echo_boxed_i32", f"<value {_NIL}>3</value>"),
    ("echo_boxed_i32", f"<value {_NIL}><a/></value>"),
    ("echo_nullable", "<value/>"),
    ("echo_nullable", "<value></value>"),
    ("echo_string", ""),
    ("echo_string", "<value/>"),
    ("echo_string", "<value> a </value>"),
    ("echo_nothing", ""),
    ("echo_nothing", "<value/>"),
    ("echo_nothing", "text"),
    ("echo_int_list", ""),
    ("echo_int_list", "<value>1</value><value>2</value>"),
    ("echo_int_list", "<value>1</value><value>x</value>"),
    ("echo_int_list", f"<value {_NIL}/>"),
    ("echo_nested_list", "<value><item>a</item><item/></value><value/>"),
    ("echo_nested_list", "<value><element>a</element></value>"),
    ("echo_string_map", "<value/>"),
    ("echo_string_map", "<value><entry><key>a</key><value>1</value></entry></value>"),
    ("echo_string_map", "<value><entry><key>a</key></entry></value>"),
    ("echo_string_map", "<value><entry><key>a</key><value>x</value></entry></value>"),
    ("echo_string_map", "<value><item/></value>"),
    ("echo_struct", "<value/>"),
    ("echo_struct", "<value><name>m</name></value>"),
    ("echo_struct", "<value><name>m</name><country>DE</country><parent><name>p</name></parent></value>"),
    ("echo_struct", f"<value><name>m</name><country {_NIL}/></value>"),
    ("echo_struct", f"<value><name {_NIL}/></value>"),
    ("echo_struct", "<value><name>m</name><name>n</name></value>"),
    ("echo_struct", "<value><name>m</name><surname>n</surname></value>"),
    ("echo_struct", '<value xsi:type="Maker"><name>m</name></value>'),
    ("echo_struct", '<value xsi:type="Point"><x>1</x><y>2</y></value>'),
    ("echo_decimal", '<value xsi:type="scaledDecimal" exponent="3">5000</value>'),
    ("echo_decimal", '<value xsi:type="scaledDecimal">5000</value>'),
    ("echo_decimal", '<value exponent="3">5000</value>'),
    ("echo_decimal", '<value xsi:type="xs:integer">5000</value>'),
    ("echo_any", f"<value {_NIL}/>"),
    ("echo_any", "<value>text</value>"),
    ("echo_any", '<value xsi:type="xs:int">1</value>'),
    ("echo_any", '<value xsi:type="xs:int">x</value>'),
    ("echo_any", '<value xsi:type="xs:unsignedByte">256</value>'),
    ("echo_any", '<value xsi:type="Maker"><name>m</name></value>'),
    ("echo_any", '<value xsi:type="Nobody"/>'),
    ("echo_any", '<value xsi:type="anyList"><item xsi:type="xs:int">1</item><item xsi:nil="true"/></value>'),
    ("echo_any", '<value xsi:type="anyList" class="[int"><item xsi:type="xs:int">1</item></value>'),
    ("echo_any", '<value xsi:type="anySet" class="x"/>'),
    ("echo_any", '<value xsi:type="anyRecord"/>'),
    ("echo_any", '<value xsi:type="ArrayOfString"><item>a</item></value>'),
]


@pytest.mark.parametrize(("operation", "inside"), _SHAPES)
def test_elements_are_read_when_the_schema_allows_them(operation: str, inside: str) -> None:
    allowed, read = verdicts(operation, inside)
    assert read == allowed


def test_the_order_and_the_qualification_of_elements_do_not_count() -> None:
    """Where the schema is stricter: PHP and Node send elements as their caller has them, JAX-WS without a namespace."""
    assert verdicts("echo_struct", "<value><country>DE</country><name>m</name></value>") == (False, True)
    body = envelope(f'<n:echo_struct xmlns:n="{TYPES}"><value><name>m</name></value></n:echo_struct>')
    exchange = SERVER.decode_call(HttpRequest("POST", f"/{CONTRACT.name}", "", body=body), 0.0)
    assert not isinstance(exchange, HttpResponse)
    (maker,) = exchange.calls[0].arguments()
    assert maker.name == "m"


def test_the_schema_says_the_same_when_it_is_asked_for_alone() -> None:
    answer = SERVER.decode_call(HttpRequest("GET", f"/{CONTRACT.name}", "xsd=1"), 0.0)
    assert isinstance(answer, HttpResponse)
    etree.XMLSchema(etree.fromstring(answer.body))
