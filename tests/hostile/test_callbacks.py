"""Rows B1 to B6: callers of dubbo:// that offer callbacks, and answer as no caller should. See README.md."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from tests.support.abuse import Abuse, Attacker
from tests.support.dialect import DUBBO
from tests.support.dubbo_bytes import BAD_REQUEST, CALL, HESSIAN2, OK, Reply, frame, request, text

FEW = 20
COUNT = request(id=9)
PATH = "demo.Reports"
BUILD_TYPES = "Ljava/lang/String;Ljava/lang/String;ILdemo/ReportListener;"
BUSY = 100
HEARD_OF_ONE = b"\x91\x91"
"""The flag for a value, and the int 1."""


def hurried() -> object:
    """A listener that does not wait long for those it calls back."""
    made = type(DUBBO)()
    made.options = "{callback_timeout: 100ms}"  # type: ignore[attr-defined]
    return made


hurry = pytest.mark.parametrize("dialect", [hurried()], indirect=True, ids=["hurried"])


@dataclass
class Tickets:
    """A new one for each attack: an order that exists is not made again."""

    given: int = 0

    def next(self) -> str:
        self.given += 1
        return f"t{self.given}"


def build(ticket: str, number: str | None, id: int = 7, pages: int = 1, group: str = "", position: int = 3) -> bytes:
    """Orders a report; `number`: of the listener, None says nothing of it."""
    arguments = text(ticket) + text("Sales") + bytes((0x90 + pages,)) + b"N"
    more = {} if number is None else {f"sys_callback_arg-{position}": number}
    return request("build", BUILD_TYPES, arguments, path=PATH, group=group, id=id, more=more)


async def called_back(attacker: Attacker, number: str) -> Reply:
    """The next thing the attacker gets, which is a call of its listener."""
    call: Reply = await attacker.reply()
    assert (call.flags, call.status) == (CALL, 0), call
    assert text("demo.ReportListener") in call.body
    assert text("callback.service.instid") + text(number) in call.body
    return call


NUMBERS = {
    "none": None,
    "empty": "",
    "a word": "listener",
    "a fraction": "1.5",
    "too large": str(2**31),
    "too small": str(-(2**31) - 1),
    "very long": "9" * 1_000,
    "signs only": "--7",
    "spaces": " 7 ",
}


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
async def test_b1_callback_without_a_usable_number(abuse: Abuse, number: str | None) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(build("never", number))
        reply = await attacker.reply()
        assert (reply.status, reply.id) == (BAD_REQUEST, 7)
        assert re.search(r"args\[3\]: expected a callback demo\.ReportListener", reply.text), reply.text
        await attacker.send(COUNT)
        assert (await attacker.reply()).status == OK

    await abuse(attack, reason="bad-request")


@pytest.mark.parametrize("group", ["", "bridged", "blind"])
async def test_b2_callback_where_the_contract_has_none(abuse: Abuse, group: str) -> None:
    more = {"sys_callback_arg-0": "1"}
    data = request("echoNullable", "Ljava/lang/String;", b"N", path="demo.Types", group=group, more=more)

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        reply = await attacker.reply()
        assert (reply.status, reply.id) == (BAD_REQUEST, 7)
        assert "args[0] is a callback" in reply.text
        # What is said of other arguments, or of none, comes from calls that the caller itself serves.
        idle = {f"sys_callback_arg-{each}": "1" for each in ("1", "99", "-1", "x", "0" * 100)}
        await attacker.send(request(more=idle, id=9))
        assert (await attacker.reply()).status == OK

    await abuse(attack, reason="bad-request")


async def test_b3_more_callbacks_than_a_connection_may_have(abuse: Abuse) -> None:
    tickets = Tickets()

    async def attack(attacker: Attacker) -> None:
        await attacker.send(build(tickets.next(), "1", id=1))
        flood = [build(tickets.next(), str(number), id=number) for number in range(2, 52)]
        await attacker.send(b"".join(flood))
        replies = [await attacker.reply() for _ in flood]
        assert {each.status for each in replies} == {BUSY}
        assert "may have 1 callbacks demo.ReportListener" in replies[0].text
        for _ in ("progressed", "finished"):
            call = await called_back(attacker, "1")
            await attacker.send(frame(HESSIAN2, call.id, HEARD_OF_ONE, status=OK))
        assert (await attacker.reply()).id == 1

    await abuse(attack, reason={"overloaded": 50}, times=FEW)


@hurry
async def test_b4_listener_that_never_answers(abuse: Abuse) -> None:
    tickets = Tickets()

    async def attack(attacker: Attacker) -> None:
        await attacker.send(build(tickets.next(), "2147483647"))
        calls = [await called_back(attacker, "2147483647") for _ in ("progressed", "finished")]
        answer = await attacker.reply()
        assert (answer.id, answer.status) == (7, OK)
        # Late, and of no use any more.
        for call in calls:
            await attacker.send(frame(HESSIAN2, call.id, HEARD_OF_ONE, status=OK))
        await attacker.send(COUNT)
        assert (await attacker.reply()).status == OK
        await attacker.send(frame(HESSIAN2, calls[0].id, HEARD_OF_ONE, status=OK))
        await attacker.refused()

    await abuse(attack, reason="unexpected-response", times=FEW, at_once=FEW)


@pytest.mark.parametrize("off", [1, -1, 1 << 40])
async def test_b5_answer_to_a_call_that_was_not_made(abuse: Abuse, off: int) -> None:
    tickets = Tickets()

    async def attack(attacker: Attacker) -> None:
        await attacker.send(build(tickets.next(), "-1"))
        call = await called_back(attacker, "-1")
        await attacker.send(frame(HESSIAN2, call.id + off, HEARD_OF_ONE, status=OK) + COUNT)
        await attacker.end()

    await abuse(attack, reason="unexpected-response")


ANSWERS = {
    "no body": (OK, b""),
    "no flag": (OK, b"\x01a"),
    "flag of nothing": (OK, b"\x96"),
    "flag without a value": (OK, b"\x91"),
    "text for a number": (OK, b"\x91\x01a"),
    "null for a number": (OK, b"\x92"),
    "number too large": (OK, b"\x91L" + (1 << 40).to_bytes(8, "big")),
    "2^31-1 elements": (OK, b"\x91X\x05[long" + b"I\x7f\xff\xff\xff"),
    "error status": (70, text("no")),
    "status of nobody": (255, b"\xff" * 100),
    "other serialization": (OK, HEARD_OF_ONE),
}


@pytest.mark.parametrize("kind", ANSWERS)
async def test_b6_answer_that_is_none(abuse: Abuse, kind: str) -> None:
    status, body = ANSWERS[kind]
    flags = 31 if kind == "other serialization" else HESSIAN2
    tickets = Tickets()

    async def attack(attacker: Attacker) -> None:
        await attacker.send(build(tickets.next(), "5"))
        for _ in ("progressed", "finished"):
            call = await called_back(attacker, "5")
            await attacker.send(frame(flags, call.id, body, status=status))
        answer = await attacker.reply()
        assert (answer.id, answer.status) == (7, OK)
        await attacker.send(COUNT)
        assert (await attacker.reply()).status == OK

    await abuse(attack, reason=None)


async def test_b6_answer_larger_than_a_message_may_be(abuse: Abuse) -> None:
    tickets = Tickets()

    async def attack(attacker: Attacker) -> None:
        await attacker.send(build(tickets.next(), "5"))
        call = await called_back(attacker, "5")
        await attacker.send(frame(HESSIAN2, call.id, b"", status=OK, length=0x7FFFFFFF))
        await attacker.end()

    await abuse(attack, reason="frame-too-large")
