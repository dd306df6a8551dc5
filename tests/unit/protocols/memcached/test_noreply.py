from __future__ import annotations

import pytest

from gateway.model.call import Ok
from tests.support.text_codecs import memcached_codec, run

LONG = b"k" * 251


@pytest.mark.parametrize(
    ("line", "behind"),
    [
        # As memcached 1.6.18 answers them: the line says nothing, and what stands behind it is the next command.
        (b"set store:a 0 0 abc noreply", b"foo\r\n"),
        (b"set store:a 0 0 -1 noreply", b""),
        (b"set store:a x 0 3 noreply", b"foo\r\n"),
        (b"add " + LONG + b" 0 0 3 noreply", b"foo\r\n"),
        (b"cas store:a 0 0 3 noreply", b"foo\r\n"),
        (b"delete " + LONG + b" noreply", b""),
        (b"incr " + LONG + b" 1 noreply", b""),
        (b"touch " + LONG + b" 1 noreply", b""),
        (b"flush_all x noreply", b""),
        (b"flush_all 5 noreply", b""),
    ],
)
def test_a_malformed_command_that_wants_no_answer_gets_none(line: bytes, behind: bytes) -> None:
    said = run(memcached_codec(), line + b"\r\n" + behind + b"mn\r\n", lambda call: Ok(None))
    assert said == (b"ERROR\r\n" if behind else b"") + b"MN\r\n"
