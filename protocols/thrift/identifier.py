"""Names as the compilers of Thrift take them."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["identifier"]

# Words of the language itself, and those that Apache's compiler refuses because some target language has them
# (apache/thrift, compiler/cpp/src/thrift/thriftl.ll).
_WORDS: Final = """
namespace cpp_namespace cpp_include cpp_type java_package cocoa_prefix csharp_namespace delphi_namespace
php_namespace py_module perl_package ruby_namespace smalltalk_category smalltalk_prefix xsd_all xsd_optional
xsd_nillable xsd_namespace xsd_attrs include void bool byte i8 i16 i32 i64 double string binary slist senum
map list set uuid oneway async typedef struct union exception extends throws service enum const required
optional BEGIN END __CLASS__ __DIR__ __FILE__ __FUNCTION__ __LINE__ __METHOD__ __NAMESPACE__ abstract alias
and args as assert begin break case catch class clone continue declare def default del delete do dynamic elif
else elseif elsif end enddeclare endfor endforeach endif endswitch endwhile ensure except exec finally float
for foreach from function global goto if implements import in inline instanceof interface is lambda module
native new next nil not or package pass public print private protected raise redo rescue retry register return
self sizeof static super switch synchronized then this throw transient try undef unless unsigned until use var
virtual volatile when while with xor yield true false null
"""
_RESERVED: Final = frozenset(_WORDS.split())
_ODD: Final = re.compile(r"[^A-Za-z0-9_]")


def identifier(name: str) -> str:
    """A name as compilers take it: ASCII, and an underscore behind what is reserved."""
    plain = _ODD.sub(lambda found: f"_u{ord(found[0]):04x}" if found[0] != "." else "_", name)
    if plain[:1].isdigit():
        plain = f"_{plain}"
    return f"{plain}_" if plain in _RESERVED else plain
