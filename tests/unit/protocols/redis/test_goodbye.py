from __future__ import annotations

from gateway.model.call import Ok
from tests.support.text_codecs import redis_codec, run

GREETING = b"HELLO 3\r\nCLIENT CAPA polyport\r\n"
PUSH = b">1\r\n+polyport-drain\r\n"


def test_who_says_that_it_understands_a_goodbye_is_told() -> None:
    codec = redis_codec()
    run(codec, GREETING, lambda call: Ok(None))
    assert codec.goodbye() == PUSH


def test_who_greets_after_the_goodbye_is_told_all_the_same() -> None:
    codec = redis_codec()
    assert codec.goodbye() == b""
    assert run(codec, GREETING + b"GET store:a\r\n", lambda call: Ok(None)).endswith(b"+OK\r\n" + PUSH + b"_\r\n")


def test_others_are_told_nothing() -> None:
    codec = redis_codec()
    assert codec.goodbye() == b""
    assert run(codec, b"HELLO 3\r\nCLIENT CAPA redirect\r\nPING\r\n", lambda call: Ok(None)).endswith(
        b"+OK\r\n+PONG\r\n"
    )
