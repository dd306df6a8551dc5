"""What must hold for any bytes given to the Hessian codec, and bytes to start from.

`check` is the target: it raises for nothing but a defect. `seeds` gives well-formed streams to mutate. Known attacks
and inputs that ever broke something lie in `corpus/hessian/`, one file each in hex, and are replayed by the ordinary
tests.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gateway.model.errors import ValueMappingError
from gateway.model.typeref import Kind
from protocols.corpus.contract import ANY, EVERYTHING, FAILURE, MAKER, POINT, STATUS, list_of, map_of, of, set_of
from protocols.hessian.attachments import read_attachments
from protocols.hessian.definition import DefinitionCache
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.skip import skip
from protocols.hessian.typed import TypedCompiler
from protocols.hessian.writer import Writer
from protocols.reader import Limits
from protocols.testing import CONTRACT, CORPUS
from tests.support.hessian_lite import HESSIAN_LITE_4, load_samples

__all__ = ["CORPUS_FOLDER", "check", "seeds"]

CORPUS_FOLDER = Path(__file__).parent / "corpus" / "hessian"

# Small, so that limits are met often and no input takes long.
LIMITS = Limits(max_frame_bytes=1 << 20, max_depth=16, max_elements=2_000, max_name_bytes=256)
_LARGEST_SEED = 2_000


def seeds() -> Iterator[bytes]:
    """Well-formed streams of every form: the values of the corpus, and what hessian-lite wrote."""
    compiler = TypedCompiler(CONTRACT)
    for case in CORPUS:
        writer = Writer()
        try:
            compiler.compile_writer(case.type)(writer, case.value)
        except ValueMappingError:
            continue
        if len(writer.out) <= _LARGEST_SEED:
            yield writer.finish()
    for sample in load_samples(HESSIAN_LITE_4):
        if sample.data is not None and len(sample.data) <= _LARGEST_SEED:
            yield sample.data


def check(data: bytes) -> None:
    """Decodes the bytes in every way; fails unless each gives a value or a `HessianError`, and they agree."""
    value, end = _generic(data)
    if end >= 0:
        assert skip(data, limits=LIMITS) == end, "skipping and reading end apart"
        first = _written(value)
        again, after = _generic(first)
        assert after == len(first), "what was written is not one value"
        assert _written(again) == first, "a value changed on its second way"
    for read in _typed_readers():
        reader, message = Reader(data, limits=LIMITS), ""
        try:
            read(reader)
        except HessianError as exc:
            message = str(exc)
        assert len(message) < 2_000, "a message repeats the data"
        assert message or reader.pos <= len(data), "reading went past the end"
    try:
        _, end = read_attachments(data, 0, limits=LIMITS)
        assert end <= len(data), "reading attachments went past the end"
    except HessianError:
        pass


def _generic(data: bytes) -> tuple[Any, int]:
    """The first value and its end; -1 when it is refused. With a cache of definitions it is the same."""
    reader, cached = Reader(data, limits=LIMITS), Reader(data, limits=LIMITS, definitions=_cache())
    try:
        value = reader.read()
    except HessianError:
        try:
            cached.read()
        except HessianError:
            return None, -1
        raise AssertionError("a cached definition makes bytes acceptable") from None
    cached.read()
    assert cached.pos == reader.pos, "a cached definition changes where a value ends"
    return value, reader.pos


def _written(value: Any) -> bytes:
    writer = Writer(LIMITS)
    writer.write(value)
    return writer.finish()


@functools.cache
def _cache() -> DefinitionCache:
    return DefinitionCache(max_definitions=8)


@functools.cache
def _typed_readers() -> tuple[Callable[[Reader], Any], ...]:
    compiler = TypedCompiler(CONTRACT)
    text, number = of(Kind.STRING), of(Kind.I64)
    types = (ANY, EVERYTHING, FAILURE, MAKER, STATUS, text, number, list_of(MAKER), set_of(number), map_of(POINT, text))
    return tuple(map(compiler.compile_reader, types))
