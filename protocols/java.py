"""What a contract is called in Java: class, field and method names, type names, JVM descriptors.

Every wire with Java at its other end uses these names; they are facts of the language, not of a wire.

| contract type | Java type | nullable, or inside a collection |
| --- | --- | --- |
| bool, char | `boolean`, `char` | `java.lang.Boolean`, `java.lang.Character` |
| i8, i16, i32, i64 | `byte`, `short`, `int`, `long` | `java.lang.Byte`, `.Short`, `.Integer`, `.Long` |
| f32, f64 | `float`, `double` | `java.lang.Float`, `java.lang.Double` |
| bigint, decimal | `java.math.BigInteger`, `java.math.BigDecimal` | the same |
| string, bytes, uuid | `java.lang.String`, `byte[]`, `java.util.UUID` | the same |
| date, time | `java.time.LocalDate`, `java.time.LocalTime` | the same |
| datetime | `java.time.Instant`; hint `java.util.Date` | the same |
| local_datetime, duration | `java.time.LocalDateTime`, `java.time.Duration` | the same |
| list | `java.util.List`; hints `T[]`, `java.lang.Iterable`, `java.util.Collection`, `ArrayList`, `LinkedList` | same |
| set | `java.util.Set`; hints `java.util.HashSet`, `java.util.Collection` | the same |
| map | `java.util.Map`; hints `java.util.HashMap`, `java.util.LinkedHashMap` | the same |
| enum, struct, exception | the class: `names["java"]`, else the contract name | the same |
| any, null | `java.lang.Object`, `void` | `java.lang.Object`, `java.lang.Void` |
| callback | the interface of its service | not there |

Type names are those of `Class.getTypeName()`: arrays end in `[]`, a class inside a class keeps its `$`. A name given
with `names["java"]` or a `("java", …)` hint wins over every rule; `check_contract` says whether it can.

Source: The Java Language Specification 17 (§3.8, §3.9, §8.4.2) and The Java Virtual Machine Specification 17 (§4.3).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Final

from gateway.model.contract import EnumType, Field, MethodContract, NamedType, Param, ServiceContract, StructType
from gateway.model.typeref import Kind, TypeRef

__all__ = [
    "MAX_PARAMETERS",
    "canonical_type_name",
    "check_contract",
    "class_name",
    "descriptor",
    "descriptor_to_type_name",
    "element",
    "field_name",
    "interface_name",
    "is_identifier",
    "method_descriptor",
    "method_name",
    "parameter_name",
    "parse_descriptor",
    "property_name",
    "source_type",
    "type_name",
    "type_name_to_descriptor",
]

MAX_PARAMETERS: Final = 255
"""Parameters of one method, also the dimensions of one array (JVMS §4.3.3, §4.4.1)."""

_PRIMITIVES: Final = {
    Kind.BOOL: ("boolean", "java.lang.Boolean"),
    Kind.CHAR: ("char", "java.lang.Character"),
    Kind.I8: ("byte", "java.lang.Byte"),
    Kind.I16: ("short", "java.lang.Short"),
    Kind.I32: ("int", "java.lang.Integer"),
    Kind.I64: ("long", "java.lang.Long"),
    Kind.F32: ("float", "java.lang.Float"),
    Kind.F64: ("double", "java.lang.Double"),
    Kind.NULL: ("void", "java.lang.Void"),
}

# Per kind: its Java type, then what a hint may ask for instead without changing the set of values.
_CLASSES: Final = {
    Kind.BIGINT: ("java.math.BigInteger",),
    Kind.DECIMAL: ("java.math.BigDecimal",),
    Kind.STRING: ("java.lang.String",),
    Kind.BYTES: ("byte[]",),
    Kind.DATE: ("java.time.LocalDate",),
    Kind.TIME: ("java.time.LocalTime",),
    Kind.DATETIME: ("java.time.Instant", "java.util.Date"),
    Kind.LOCAL_DATETIME: ("java.time.LocalDateTime",),
    Kind.DURATION: ("java.time.Duration",),
    Kind.UUID: ("java.util.UUID",),
    Kind.LIST: (
        "java.util.List",
        "java.util.Collection",
        "java.util.ArrayList",
        "java.util.LinkedList",
        "java.lang.Iterable",
    ),
    Kind.SET: ("java.util.Set", "java.util.HashSet", "java.util.Collection"),
    Kind.MAP: ("java.util.Map", "java.util.HashMap", "java.util.LinkedHashMap"),
    Kind.ANY: ("java.lang.Object",),
}

_DESCRIPTOR_OF_PRIMITIVE: Final = {
    "void": "V",
    "boolean": "Z",
    "byte": "B",
    "char": "C",
    "double": "D",
    "float": "F",
    "int": "I",
    "long": "J",
    "short": "S",
}
_PRIMITIVE_OF_DESCRIPTOR: Final = {code: name for name, code in _DESCRIPTOR_OF_PRIMITIVE.items()}

# JLS §3.9 (reserved keywords and the three literals); the second set is reserved as class names only (§3.8).
_RESERVED: Final = frozenset(
    "_ abstract assert boolean break byte case catch char class const continue default do "  # noqa: SIM905 - 52 lines
    "double else enum extends "
    "false final finally float for goto if implements import instanceof int interface long native new null package "
    "private protected public return short static strictfp super switch synchronized this throw throws transient "
    "true try void volatile while".split()
)
_RESERVED_FOR_CLASSES: Final = frozenset({"permits", "record", "sealed", "var", "yield"})

# What Character.isJavaIdentifierStart and isJavaIdentifierPart accept, as Unicode general categories.
_IDENTIFIER_START: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nl", "Sc", "Pc"})
_IDENTIFIER_PART: Final = _IDENTIFIER_START | {"Nd", "Mc", "Mn"}

# java.lang.Object declares them final, so no interface can; the last three are answered by every proxy itself.
_METHODS_OF_OBJECT: Final = frozenset(
    {("getClass", ""), ("notify", ""), ("notifyAll", ""), ("wait", ""), ("wait", "J"), ("wait", "JI")}
    | {("hashCode", ""), ("toString", ""), ("equals", "Ljava/lang/Object;")}
)
_FIELDS_OF_THROWABLE: Final = frozenset({"cause", "detailMessage", "stackTrace", "suppressedExceptions"})
_TEXT_OF_THROWABLE: Final = frozenset({"message", "localizedMessage"})

_SHOWN: Final = 80


def class_name(named: NamedType) -> str:
    """The reflection name of a type's class: `demo.Product`, `demo.Order$Line`."""
    return named.names.get("java", named.name)


def interface_name(contract: ServiceContract) -> str:
    """The name of the service's Java interface."""
    return contract.names.get("java", contract.name)


def field_name(field: Field) -> str:
    """The Java field: `created_at` is `createdAt`."""
    return field.names.get("java") or _camel(field.name)


def property_name(field: Field) -> str:
    """The bean property behind the field's accessors; differs for fields that begin with a capital letter."""
    name = field_name(field)
    return name[:1].lower() + name[1:]


def method_name(method: MethodContract) -> str:
    """The Java method: `price_history` is `priceHistory`."""
    return method.names.get("java") or _camel(method.name)


def parameter_name(param: Param) -> str:
    """A name for the parameter in Java source. It never travels, so a reserved word just gets an underscore."""
    name = _camel(param.name)
    return name if is_identifier(name) else f"{name}_"


def is_identifier(text: str) -> bool:
    """Whether Java takes this as the name of a field, method, constant or package."""
    return (
        text not in _RESERVED
        and unicodedata.category(text[:1] or " ") in _IDENTIFIER_START
        and all(unicodedata.category(c) in _IDENTIFIER_PART for c in text)
    )


def type_name(ref: TypeRef, contract: ServiceContract, *, boxed: bool = False) -> str:
    """The erased Java type: `int`, `java.util.List`, `demo.Product`, `long[]`.

    `boxed`: the type of an element of a collection, where Java has no primitive types.
    """
    boxed = boxed or ref.nullable
    hint = ref.hint("java")
    if hint is not None:
        return hint
    primitive = _PRIMITIVES.get(ref.kind)
    if primitive is not None:
        return primitive[boxed]
    if ref.kind is Kind.CALLBACK:
        return interface_name(contract.callbacks[ref.name])
    if ref.name:
        return class_name(contract.types[ref.name])
    return _CLASSES[ref.kind][0]


def source_type(ref: TypeRef, contract: ServiceContract, *, boxed: bool = False) -> str:
    """The type as Java source spells it: `java.util.Map<java.lang.String, java.lang.Long>`."""
    erased = type_name(ref, contract, boxed=boxed)
    if not ref.args:
        return erased
    if erased.endswith("[]"):
        return source_type(element(ref), contract) + "[]"
    return f"{erased}<{', '.join(source_type(arg, contract, boxed=True) for arg in ref.args)}>"


def element(ref: TypeRef) -> TypeRef:
    """The element type of a list or set, with what an array hint of the list says about it.

    An element of a `long[][]` is a list with the hint `long[]`.
    """
    inner = ref.args[0]
    hint = ref.hint("java")
    if hint is None or not hint.endswith("[]"):
        return inner
    others = tuple(pair for pair in inner.hints if pair[0] != "java")
    return replace(inner, hints=tuple(sorted((*others, ("java", hint[:-2])))))


def descriptor(ref: TypeRef, contract: ServiceContract) -> str:
    """The JVM descriptor: `I`, `[J`, `Ljava/util/List;`; `V` for null."""
    return type_name_to_descriptor(type_name(ref, contract))


def method_descriptor(method: MethodContract, contract: ServiceContract) -> str:
    """The descriptors of all parameters, one after the other, as dubbo:// sends them: `Ljava/lang/String;I`."""
    return "".join(descriptor(param.type, contract) for param in method.params)


def type_name_to_descriptor(name: str) -> str:
    """`java.lang.String[]` is `[Ljava/lang/String;`, `int` is `I`. The name is taken as it is."""
    dimensions = 0
    while name.endswith("[]"):
        name = name[:-2]
        dimensions += 1
    return "[" * dimensions + (_DESCRIPTOR_OF_PRIMITIVE.get(name) or f"L{name.replace('.', '/')};")


def descriptor_to_type_name(text: str) -> str:
    """`[Ljava/lang/String;` is `java.lang.String[]`, `I` is `int`.

    Raises:
        ValueError: not exactly one descriptor. `V` is one here.
    """
    if text != "V" and _descriptor_end(text, 0) != len(text):
        raise ValueError(f"{_shown(text)} is more than one type descriptor")
    component = text.lstrip("[")
    name = _PRIMITIVE_OF_DESCRIPTOR.get(component) or component[1:-1].replace("/", ".")
    return name + "[]" * (len(text) - len(component))


def canonical_type_name(name: str) -> str:
    """A type name as `Class.getTypeName()` spells it; `Class.getName()` writes `[Ljava.lang.String;` for the same.

    What is neither is returned as it is: it names no type of any contract.
    """
    if not name.startswith("["):
        return name
    try:
        return descriptor_to_type_name(name.replace(".", "/"))
    except ValueError:
        return name


def parse_descriptor(text: str) -> tuple[str, ...]:
    """Splits the descriptors of a parameter list: `I[JLjava/util/List;` has three.

    `V` stands for a null whose type the caller does not know. The JVM has no such parameters; dubbo-go writes it, and
    Dubbo reads it (apache/dubbo: dubbo-common/.../common/utils/ReflectUtils.java, DESC_REGEX).

    Raises:
        ValueError: malformed, or more than 255 parameters or array dimensions; the text says where.
    """
    found: list[str] = []
    start = 0
    while start < len(text):
        if len(found) == MAX_PARAMETERS:
            raise ValueError(f"type descriptor with more than {MAX_PARAMETERS} parameters")
        end = start + 1 if text[start] == "V" else _descriptor_end(text, start)
        found.append(text[start:end])
        start = end
    return tuple(found)


def check_contract(contract: ServiceContract) -> list[str]:
    """Everything about a contract that Java cannot carry, one sentence each; empty when nothing stands in the way."""
    problems = [*_check_classes(contract)]
    for named in contract.types.values():
        if isinstance(named, EnumType):
            problems += [
                f"{named.name}.{constant}: {constant!r} is not a Java identifier"
                for constant in named.constants
                if not is_identifier(constant)
            ]
        else:
            problems += _check_fields(named, contract)
    problems += _check_methods(contract)
    for callback in contract.callbacks.values():
        problems += [f"callback {problem}" for problem in check_contract(callback)]
    return problems


@lru_cache(maxsize=4096)
def _camel(name: str) -> str:
    # Kept, because a generic call asks for the names of all methods; they come from contracts, never from peers.
    # Underscores in front belong to the name; behind it they are Python's way around a reserved word.
    words = name.lstrip("_")
    first, *rest = words.split("_")
    return name[: len(name) - len(words)] + first + "".join(word[:1].upper() + word[1:] for word in rest)


def _shown(text: str) -> str:
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}..."


def _descriptor_end(text: str, start: int) -> int:
    """Where the descriptor that starts at `start` ends."""
    at = start
    while text[at : at + 1] == "[":
        at += 1
    if at - start > MAX_PARAMETERS:
        raise ValueError(f"type descriptor with more than {MAX_PARAMETERS} array dimensions at {start}")
    code = text[at : at + 1]
    if code == "L":
        end = text.find(";", at)
        name = text[at + 1 : end]
        if end < 0 or not all(name.split("/")) or "." in name or "[" in name:
            raise ValueError(f"malformed class name in type descriptor at {at}: {_shown(text[at:])}")
        return end + 1
    if code == "V" or code not in _PRIMITIVE_OF_DESCRIPTOR:
        found = f"found {code!r}" if code else "it ends"
        raise ValueError(f"malformed type descriptor at {at}: expected one of BCDFIJSZL[, {found}")
    return at + 1


def _check_classes(contract: ServiceContract) -> Iterator[str]:
    classes = [(contract.name, interface_name(contract))]
    classes += [(named.name, class_name(named)) for named in contract.types.values()]
    classes += [(callback.name, interface_name(callback)) for callback in contract.callbacks.values()]
    packages = {name.rpartition(".")[0] for _, name in classes}
    roots = {"java", *(package.partition(".")[0] for package in packages)}
    owners: dict[str, str] = {}
    for contract_name, name in classes:
        *package, simple = name.split(".")
        if simple in _RESERVED_FOR_CLASSES or not all(map(is_identifier, (*package, simple))):
            yield f"{contract_name}: {name!r} is not a Java class name"
        elif simple in roots:
            yield f"{contract_name}: the Java class {name} hides the package {simple}"
        elif any(other == name or other.startswith(f"{name}.") for other in packages):
            yield f"{contract_name}: the Java class {name} has the name of a package"
        elif not package and packages != {""}:
            yield f"{contract_name}: the Java class {name} has no package, so classes that have one cannot use it"
        owner = owners.setdefault(name, contract_name)
        if owner != contract_name:
            yield f"{contract_name}: {owner} is the Java class {name} too"


def _check_fields(struct: StructType, contract: ServiceContract) -> Iterator[str]:
    owners: dict[str, str] = {}
    for field in struct.fields:
        where = f"{struct.name}.{field.name}"
        name = field_name(field)
        if not is_identifier(name):
            yield f"{where}: {name!r} is not a Java identifier"
            continue
        yield from _check_type(field.type, contract, where)
        # Accessors capitalise the first letter, so names that differ only there collide in them.
        bean_property = property_name(field)
        owner = owners.setdefault(bean_property, field.name)
        if owner != field.name:
            yield f"{where}: the Java field {name} collides with that of {struct.name}.{owner}"
        if bean_property == "class":
            yield f"{where}: Java objects have a getClass() of their own"
        if not struct.is_exception:
            continue
        if name in _FIELDS_OF_THROWABLE or bean_property == "suppressed":
            yield f"{where}: {name} belongs to java.lang.Throwable"
        elif bean_property in _TEXT_OF_THROWABLE and field.type.kind is not Kind.STRING:
            yield f"{where}: {name} is text in java.lang.Throwable, not {field.type}"


def _check_methods(contract: ServiceContract) -> Iterator[str]:
    owners: dict[tuple[str, str], MethodContract] = {}
    for method in contract.methods:
        where = f"{contract.name}.{method.attribute}"
        name = method_name(method)
        if not is_identifier(name):
            yield f"{where}: {name!r} is not a Java identifier"
        for param in method.params:
            yield from _check_type(param.type, contract, f"{where}({param.name})")
        if method.returns.kind is not Kind.NULL:
            yield from _check_type(method.returns, contract, f"{where} result")
        # A long or double takes two of the 255 slots, the object itself one (JVMS §4.3.3).
        descriptors = [descriptor(param.type, contract) for param in method.params]
        if 1 + sum(1 + (text in "JD") for text in descriptors) > MAX_PARAMETERS:
            yield f"{where}: more parameters than a Java method can have"
        key = (name, "".join(descriptors))
        if key in _METHODS_OF_OBJECT:
            yield f"{where}: {name} is a method of java.lang.Object and never leaves a Java caller"
        owner = owners.setdefault(key, method)
        if owner is not method:
            yield (
                f"{where}: {method.signature} and {owner.signature} are one method in Java, "
                f"{name}({', '.join(type_name(param.type, contract) for param in method.params)})"
            )


def _check_type(ref: TypeRef, contract: ServiceContract, where: str, *, boxed: bool = False) -> Iterator[str]:
    hint = ref.hint("java")
    if ref.kind is Kind.NULL and not boxed:
        yield f"{where}: null is a type of results only"
    elif hint is not None and not _fits(ref, hint, contract, boxed=boxed):
        fitting = " or ".join(_offers(ref, contract, boxed=boxed))
        yield f"{where}: the Java type {_shown(hint)} does not fit {ref}; expected {fitting}"
    elif ref.kind is Kind.LIST and hint is not None and hint.endswith("[]"):
        inner = ref.args[0].hint("java")
        if inner not in (None, hint[:-2]):
            yield f"{where}: the elements of the Java type {_shown(hint)} cannot be {_shown(inner or '')}"
        yield from _check_type(element(ref), contract, where, boxed=hint[:-2] not in _DESCRIPTOR_OF_PRIMITIVE)
    else:
        for arg in ref.args:
            yield from _check_type(arg, contract, where, boxed=True)


def _offers(ref: TypeRef, contract: ServiceContract, *, boxed: bool) -> tuple[str, ...]:
    """The Java types a value of this type can have, the usual one first; arrays of a list aside."""
    primitive = _PRIMITIVES.get(ref.kind)
    if primitive is not None:
        return primitive[1:] if boxed or ref.nullable else primitive
    return (type_name(replace(ref, hints=()), contract),) if ref.name else _CLASSES[ref.kind]


def _fits(ref: TypeRef, hint: str, contract: ServiceContract, *, boxed: bool) -> bool:
    if ref.kind is Kind.LIST and hint.endswith("[]"):
        component = hint[:-2]
        # Java sends byte[] as one binary value and char[] as one string: the contract types bytes and string.
        if component in ("byte", "char"):
            return False
        return _fits(ref.args[0], component, contract, boxed=False)
    return hint in _offers(ref, contract, boxed=boxed)
