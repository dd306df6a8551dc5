from __future__ import annotations

import pytest

from gateway.demo.store import Entry
from gateway.model.call import Ok
from tests.support.text_codecs import FRAME_BYTES, memcached_codec, run

LARGE = b"x" * (FRAME_BYTES // 4)


@pytest.mark.parametrize(("keys", "given"), [(4, 4), (5, 4), (1_000, 4)])
def test_values_of_many_keys_are_held_within_the_limit_of_one(keys: int, given: int) -> None:
    answer = run(memcached_codec(), b"gets" + b" store:a" * keys + b"\r\n", lambda call: Ok(Entry(LARGE, 1)))
    assert answer.count(LARGE) == given
    told = b"END\r\n" if keys == given else b"SERVER_ERROR RPCERR provider-failed/never the values exceed"
    assert told in answer[-120:]
