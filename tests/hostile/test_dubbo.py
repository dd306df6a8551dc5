"""Rows D1 to D11: hostile dubbo:// messages. What is owed for each stands in README.md."""

from __future__ import annotations

import pytest

from tests.support.abuse import Abuse, Attacker
from tests.support.dubbo_bytes import BAD_REQUEST, CALL, frame


@pytest.mark.parametrize("length", [0x01010101, 0x7FFFFFFF, 8_388_609])
async def test_d3_body_length_beyond_the_limit(abuse: Abuse, length: int) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(frame(CALL, 77, b"", length=length))
        reply = await attacker.reply()
        assert (reply.status, reply.id) == (BAD_REQUEST, 77)
        assert f"body length {length}" in reply.text
        await attacker.refused()

    await abuse(attack, reason="frame-too-large")
