"""Exceptions a provider's code answers with, and what travels beside arguments and answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from gateway.model.call import Fault
from protocols.corpus.contract import TypesFailure
from protocols.corpus.value import LUMEN

__all__ = ["ATTACHMENTS", "FAULTS", "AttachmentsCase", "FaultCase"]


@dataclass(frozen=True, slots=True)
class FaultCase:
    """An answer of `method` that is an exception. `exception`: the declared one as an instance, None otherwise."""

    name: str
    method: str
    fault: Fault
    exception: TypesFailure | None = None


@dataclass(frozen=True, slots=True)
class AttachmentsCase:
    """Attachments that must arrive with a call and with an answer, key and value unchanged."""

    name: str
    attachments: Mapping[str, str]


def _faults() -> Iterator[FaultCase]:
    messages = {"text": "broken", "empty": "", "null": None, "unicode": "kaputt 💥\0\n", "long": "x" * 5000}
    for name, message in messages.items():
        for culprit in (None, LUMEN):
            fields = {"code": -7, "culprit": culprit}
            fault = Fault("demo.TypesFailure", message, fields, declared=True)
            exception = TypesFailure(message, code=-7, culprit=culprit)
            yield FaultCase(f"declared/{name}{'-nested' if culprit else ''}", "fail_declared", fault, exception)
        yield FaultCase(f"undeclared/{name}", "fail_undeclared", Fault("ValueError", message))


FAULTS: Final[tuple[FaultCase, ...]] = tuple(_faults())
"""Exceptions a provider's code may answer with."""

ATTACHMENTS: Final[tuple[AttachmentsCase, ...]] = tuple(
    AttachmentsCase(name, MappingProxyType(attachments))
    for name, attachments in {
        "none": {},
        "one": {"user": "ann"},
        "case-kept": {"Key": "upper", "key": "lower", "KEY": "all"},
        "empty-value": {"empty": ""},
        "unicode": {"schlüssel": "Grüße 😀", "键": "值"},
        "control": {"lines": "a\r\nb", "nul": "a\0b", "tab": "\t"},
        "separators": {"a.b-c_d:e/f": "x=y&z;q,", "%41": "%42", 'quote"d': "'"},
        "spaces": {"spaces": "  both ends  "},
        "trace": {"baggage": "tenant=a,region=b"},
        "long": {"long": "x" * 10_000},
        "many": {f"key-{index}": str(index) for index in range(100)},
    }.items()
)
"""What may travel beside the arguments."""
