"""The words of a Thrift file, each with its line and the comment that stands before it.

Source: apache/thrift, compiler/cpp/src/thrift/thriftl.ll and doc/docs/idl.md.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from gateway.model.errors import ContractError

__all__ = ["Token", "plain_comment", "tokens_of"]

_TOKEN: Final = re.compile(
    r"""
      (?P<blank>[ \t\r\n\ufeff]+)
    | (?P<doc>/\*\*(?!/)(?:(?!\*/)[\s\S])*\*/)
    | (?P<block>/\*(?:(?!\*/)[\s\S])*\*/)
    | (?P<line>(?://|\#)[^\n]*)
    | (?P<double>[+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][+-]?[0-9]+)?)
    | (?P<hex>[+-]?0[xX][0-9A-Fa-f]+)
    | (?P<integer>[+-]?[0-9]+)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)
    | (?P<text>"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*')
    | (?P<sign>[{}()\[\]<>,;:=*&])
    """,
    re.VERBOSE,
)
_ESCAPE: Final = re.compile(r"\\([\s\S])")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}
_SHOWN: Final = 20


class Token(NamedTuple):
    """`kind`: `double`, `integer`, `word`, `text`, `sign`, or `end`. `value`: number, or text without its quotes.

    `doc`: the comment right before it, without its stars; empty when there is none. `after`: a comment behind it on
    the same line.
    """

    kind: str
    value: str | int | float
    line: int
    doc: str
    after: str


def tokens_of(text: str, location: str) -> list[Token]:
    """All words, and one of the kind `end`.

    Raises:
        ContractError: something that is no word of this language; says the line.
    """
    found: list[Token] = []
    before: list[str] = []
    behind: list[str] = []
    at, line, doc_end = 0, 1, 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise ContractError(f"{location}:{line}: {text[at : at + _SHOWN].splitlines()[0]!r} means nothing here")
        kind, whole = match.lastgroup, match.group()
        at = match.end()
        starts, line = line, line + whole.count("\n")
        if kind == "blank":
            # An empty line parts a comment from what follows, unless it is a doc comment.
            if whole.count("\n") > 1 and not doc_end:
                before = []
        elif kind in ("doc", "block", "line"):
            said = plain_comment(whole, kind)
            if found and found[-1].line == starts and kind != "doc":
                behind.append(said)
            elif kind == "doc":
                before, doc_end = [said], line
            elif not doc_end:
                if kind != "line":
                    before = []
                before.append(said)
        else:
            if behind:
                found[-1] = _with_comments(found[-1], behind)
                behind = []
            found.append(Token(*_value(kind, whole, location, starts), starts, _lines(before), ""))
            before, doc_end = [], 0
    if behind:
        found[-1] = _with_comments(found[-1], behind)
    return [*found, Token("end", "", line, _lines(before), "")]


def _lines(comments: list[str]) -> str:
    """Comments one below the other; empty ones do not begin."""
    first = next((at for at, each in enumerate(comments) if each), len(comments))
    return "\n".join(comments[first:])


def _with_comments(token: Token, comments: list[str]) -> Token:
    return token._replace(after=" ".join(filter(None, comments)))


def _value(kind: str, whole: str, location: str, line: int) -> tuple[str, str | int | float]:
    match kind:
        case "double":
            return kind, float(whole)
        case "hex":
            return "integer", int(whole, 16)
        case "integer":
            if len(whole) > 1 + _SHOWN:
                raise ContractError(f"{location}:{line}: {whole[:_SHOWN]}… is no integer of 64 bits")
            return kind, int(whole)
        case "text":
            return kind, _unescaped(whole[1:-1], location, line)
    return kind, whole


def _unescaped(text: str, location: str, line: int) -> str:
    def meant(match: re.Match[str]) -> str:
        escaped = _ESCAPES.get(match[1])
        if escaped is None:
            raise ContractError(
                f"{location}:{line}: {match[0]!r} is no escape; there are \\n \\r \\t \\\" \\' and \\\\"
            )
        return escaped

    return _ESCAPE.sub(meant, text) if "\\" in text else text


def plain_comment(comment: str, kind: str) -> str:
    """The words of a comment. `kind`: `doc` or `block`, or `line`."""
    if kind == "line":
        return comment.lstrip("/#").strip()
    lines = [re.sub(r"^\s*\*(?!\*) ?", "", each).rstrip() for each in comment[2:-2].lstrip("*").splitlines()]
    if lines:
        lines[0] = lines[0].strip()
    return "\n".join(lines).strip()
