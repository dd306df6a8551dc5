from __future__ import annotations

import pytest

from gateway.model.call import Ok, Peer
from tests.support.text_codecs import memcached_codec, run


@pytest.mark.parametrize(("other", "found"), [("ann", True), ("bob", False)])
def test_who_has_shown_another_name_fetches_no_answer_from_the_same_machine(other: str, found: bool) -> None:
    codec = memcached_codec(users={"ann": "a", "bob": "b"})
    second = codec.wire.accept(Peer("memcached", "127.0.0.1:2"))
    login = b"set auth 0 0 5\r\n%b %b\r\n"
    call = b'set demo.Store.get#1 0 0 14\r\n{"args":["a"]}\r\n'
    run(codec, login % (b"ann", b"a") + call, lambda call: Ok(b"secret"))
    said = run(
        second, login % (other.encode(), other[:1].encode()) + b"get demo.Store.get#1\r\n", lambda call: Ok(None)
    )
    assert (b"secret" in said) is found
