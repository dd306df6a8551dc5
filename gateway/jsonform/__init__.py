"""The one JSON form of contract values: what the command line, HTTP and documents of types read and write.

| type | JSON |
| --- | --- |
| null, bool, i8 … i64 | null, true and false, a number (exact) |
| f32, f64 | a number, or the texts `NaN`, `Infinity`, `-Infinity` |
| bigint, decimal | a text; a number is read too |
| char, string | a text; lone surrogates are refused |
| bytes, date, time, datetime, local_datetime, duration, uuid | a text, see `gateway.jsonform.scalar_text` |
| list, set | an array; a set with an element twice is refused |
| map | an object where keys are scalars or enums, never null; else an array of pairs `[[key, value], …]`, always read |
| enum | its constant's name |
| struct | an object by contract field names; unknown fields are refused unless the reader is told to ignore them |
| exception | the same, its text as `message` |
| any | see `gateway.jsonform.generic` |

Readers take what `gateway.jsonform.text.parse_json` gives, where a number with a fraction or exponent is a `Decimal`:
nothing is rounded before its type is known. What `json.loads` gives is read too. Writers give what
`gateway.jsonform.text.format_json` and `json.dumps` write. Both are compiled once per type and raise
`ValueMappingError` with the path inside the value. Values nest 64 levels deep at most, both ways.
"""

from gateway.jsonform.reader import compile_reader
from gateway.jsonform.text import format_json, parse_json
from gateway.jsonform.writer import compile_writer

__all__ = ["compile_reader", "compile_writer", "format_json", "parse_json"]
