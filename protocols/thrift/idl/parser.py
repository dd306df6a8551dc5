"""A Thrift file read into what it says.

Source: apache/thrift, compiler/cpp/src/thrift/thrifty.yy. What that compiler takes with a warning (`async`, `senum`,
fields without a number) is refused here, with its line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NoReturn

from gateway.model.document import Document
from gateway.model.errors import ContractError
from protocols.thrift.idl.lexer import Token, tokens_of
from protocols.thrift.idl.syntax import (
    Constant,
    Enumeration,
    Function,
    Member,
    Named,
    Pairs,
    Program,
    Record,
    Service,
    Type,
    Value,
)

__all__ = ["parse"]

_MAX_DEPTH: Final = 64


def parse(document: Document) -> Program:
    """What a document says.

    Raises:
        ContractError: it is no Thrift file; says the line.
    """
    try:
        text = document.data.decode("utf-8")
    except UnicodeDecodeError as exc:
        line = document.data[: exc.start].count(b"\n") + 1
        raise ContractError(f"{document.location}:{line}: is not UTF-8") from None
    return _Parser(tokens_of(text, document.location), document.location).program()


class _Parser:
    def __init__(self, tokens: list[Token], location: str) -> None:
        self._tokens = tokens
        self._at = 0
        self._location = location
        self._program = Program(location)
        self._defined: dict[str, int] = {}

    def program(self) -> Program:
        while self._token.kind != "end":
            self._statement()
        return self._program

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    def _fail(self, message: str, token: Token | None = None) -> NoReturn:
        raise ContractError(f"{self._location}:{(token or self._token).line}: {message}")

    def _next(self) -> Token:
        token = self._token
        if token.kind != "end":
            self._at += 1
        return token

    def _is(self, *words: str) -> bool:
        return self._token.kind in ("word", "sign") and self._token.value in words

    def _take(self, *words: str) -> bool:
        """Takes the next word if it is one of these."""
        if self._is(*words):
            self._at += 1
            return True
        return False

    def _expect(self, sign: str) -> Token:
        if not self._is(sign):
            self._fail(f"expected {sign!r}, found {_shown(self._token)}")
        return self._next()

    def _name(self, what: str) -> Token:
        token = self._next()
        if token.kind != "word":
            self._fail(f"expected the name of {what}, found {_shown(token)}", token)
        return token

    def _text(self, what: str) -> str:
        token = self._next()
        if token.kind != "text":
            self._fail(f"expected {what} in quotes, found {_shown(token)}", token)
        return str(token.value)

    def _integer(self, what: str) -> int:
        token = self._next()
        if not isinstance(token.value, int):
            self._fail(f"expected {what}, found {_shown(token)}", token)
        return token.value

    def _define(self, token: Token) -> str:
        """The name of something new at the top of the file."""
        name = str(token.value)
        known = self._defined.setdefault(name, token.line)
        if "." in name:
            self._fail(f"{name!r} is no name; letters, digits and _ make one", token)
        if known != token.line:
            self._fail(f"{name} was declared in line {known} already", token)
        return name

    def _statement(self) -> None:
        start, program = self._next(), self._program
        match start.value if start.kind == "word" else "":
            case "include":
                program.includes.append((self._text("a file"), start.line))
            case "cpp_include":
                self._text("a file")
            case "namespace":
                language = self._next()
                where = self._next()
                if where.kind not in ("word", "text"):
                    self._fail(f"expected a namespace, found {_shown(where)}", where)
                program.namespaces[str(language.value)] = str(where.value)
                self._annotations()
            case "typedef":
                meant = self._type()
                program.typedefs[self._define(self._name("a type"))] = meant
                self._annotations()
            case "const":
                meant = self._type()
                name = self._define(self._name("a constant"))
                self._expect("=")
                program.constants[name] = (meant, self._value(0))
            case "enum":
                self._enum(start)
            case "struct" | "union" | "exception":
                self._record(start)
            case "service":
                self._service(start)
            case _:
                self._fail(f"{_shown(start)} begins nothing that Thrift knows", start)
        self._take(",", ";")

    def _annotations(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        if not self._take("("):
            return found
        while not self._take(")"):
            name = str(self._name("an annotation").value)
            found[name] = self._text("what it says") if self._take("=") else "true"
            self._take(",", ";")
        return found

    def _enum(self, start: Token) -> None:
        name = self._define(self._name("an enum"))
        self._expect("{")
        constants: list[Constant] = []
        while not self._take("}"):
            token = self._name("a constant")
            number = self._integer("its number") if self._take("=") else None
            constants.append(Constant(str(token.value), number, token.line, self._annotations()))
            self._take(",", ";")
        self._program.enums[name] = Enumeration(name, tuple(constants), start.line, start.doc, self._annotations())

    def _record(self, start: Token) -> None:
        kind = str(start.value)
        name = self._define(self._name(f"a {kind}"))
        self._take("xsd_all")
        self._expect("{")
        fields = self._members("}")
        self._program.records[name] = Record(kind, name, fields, start.line, start.doc, self._annotations())

    def _service(self, start: Token) -> None:
        name = self._define(self._name("a service"))
        base = str(self._name("a service").value) if self._take("extends") else ""
        self._expect("{")
        functions: list[Function] = []
        while not self._take("}"):
            functions.append(self._function())
        self._program.services[name] = Service(name, base, tuple(functions), start.line, start.doc, self._annotations())

    def _function(self) -> Function:
        start = self._token
        oneway = self._take("oneway")
        returns = None if self._take("void") else self._type()
        name = self._name("a method")
        self._expect("(")
        params = self._members(")")
        throws: tuple[Member, ...] = ()
        if self._take("throws"):
            self._expect("(")
            throws = self._members(")")
        annotations = self._annotations()
        self._take(",", ";")
        after = self._tokens[self._at - 1].after
        doc = start.doc or after
        return Function(str(name.value), returns, params, throws, oneway, start.line, doc, annotations)

    def _members(self, end: str) -> tuple[Member, ...]:
        found: list[Member] = []
        while not self._take(end):
            start = self._token
            number = None
            if start.kind == "integer":
                number = self._integer("a number")
                self._expect(":")
            requiredness = "required" if self._take("required") else "optional" if self._take("optional") else ""
            meant = self._type()
            self._take("&")
            name = self._name("a field")
            value = self._value(0) if self._take("=") else None
            annotations = self._annotations()
            self._take(",", ";")
            doc = start.doc or self._tokens[self._at - 1].after
            found.append(Member(number, requiredness, meant, str(name.value), value, start.line, doc, annotations))
        return tuple(found)

    def _type(self, depth: int = 0) -> Type:
        token = self._name("a type")
        if depth > _MAX_DEPTH:
            self._fail(f"types nest deeper than {_MAX_DEPTH} levels", token)
        name = str(token.value)
        args: list[Type] = []
        if name in ("list", "set", "map"):
            if self._take("cpp_type"):
                self._text("a type")
            self._expect("<")
            args.append(self._type(depth + 1))
            if name == "map":
                self._expect(",")
                args.append(self._type(depth + 1))
            self._expect(">")
            if self._take("cpp_type"):
                self._text("a type")
        return Type(name, tuple(args), token.line, self._annotations())

    def _value(self, depth: int) -> Value:
        token = self._next()
        if depth > _MAX_DEPTH:
            self._fail(f"values nest deeper than {_MAX_DEPTH} levels", token)
        if token.kind in ("integer", "double", "text"):
            return token.value
        if token.kind == "word":
            return {"true": True, "false": False}.get(str(token.value), Named(str(token.value)))
        if token.value == "[":
            items: list[Value] = []
            while not self._take("]"):
                items.append(self._value(depth + 1))
                self._take(",", ";")
            return tuple(items)
        if token.value == "{":
            pairs: list[tuple[Value, Value]] = []
            while not self._take("}"):
                key = self._value(depth + 1)
                self._expect(":")
                pairs.append((key, self._value(depth + 1)))
                self._take(",", ";")
            return Pairs(tuple(pairs))
        return self._fail(f"expected a value, found {_shown(token)}", token)


def _shown(token: Token) -> str:
    return "the end of the file" if token.kind == "end" else repr(token.value)
