"""Rows R1 to R4 for the reader alone: code execution, bombs, foreign opcodes. The whole way is in tests/hostile."""

from __future__ import annotations

import os
import pickle
import pickletools
import sys
from decimal import Decimal
from typing import Any

import pytest

from protocols.rmi.pickle_reader import Bounds, PickleRefused, read_pickle
from tests.support.cpu_time import cpu_within

SMALL = Bounds(elements=20_000)


class Runs:
    """Runs a command when it is unpickled, in the way of every tutorial."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> Any:
        return self._call


def text(value: str) -> bytes:
    return b"X" + len(value.encode()).to_bytes(4, "little") + value.encode()


CODE = {
    **{
        f"{name} of protocol {protocol}": pickle.dumps(Runs(function, *arguments), protocol)
        for protocol in (1, 2, 3, 4, 5)
        for name, function, arguments in (
            ("os.system", os.system, ("true",)),
            ("eval", eval, ("1",)),
            ("exec", exec, ("1",)),
            ("getattr", getattr, (1, "real")),
            ("open", open, ("/etc/passwd",)),
            ("__import__", __import__, ("os",)),
            ("compile", compile, ("1", "", "eval")),
        )
    },
    "subprocess": b"csubprocess\nPopen\n(]" + text("true") + b"atR.",
    "stack global": b"\x80\x04" + text("posix") + text("system") + b"\x93" + text("true") + b"\x85R.",
    "importlib": b"cimportlib\nimport_module\n" + text("antigravity") + b"\x85R.",
    "dotted name": b"\x80\x04" + text("decimal") + text("Decimal.from_float") + b"\x93G\0\0\0\0\0\0\0\0\x85R.",
    "dotted module": b"\x80\x04" + text("decimal.os") + text("system") + b"\x93" + text("true") + b"\x85R.",
    "module of a name": b"cdatetime\nsys\n.",
    "copyreg": b"ccopyreg\n_reconstructor\n(cos\nsystem\nc__builtin__\nobject\nNtR.",
    "operator.attrgetter": b"coperator\nattrgetter\n" + text("system") + b"\x85R.",
    "functools.partial": b"cfunctools\npartial\n)R.",
    "types.FunctionType": b"ctypes\nFunctionType\n)\x81.",
    "builtins.type": b"cbuiltins\ntype\n(" + text("x") + b")}tR.",
    "pickle.loads": b"cpickle\nloads\nC\x02N.\x85R.",
    "complex": b"cbuiltins\ncomplex\nG\0\0\0\0\0\0\0\0\x85R.",
    "name with a line feed": b"\x80\x04" + text("os\nsystem") + text("x") + b"\x93.",
}


@pytest.mark.parametrize("name", CODE)
def test_r1_code_is_refused_before_anything_is_imported(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[object] = []
    monkeypatch.setattr(os, "system", ran.append)
    before = set(sys.modules)
    with pytest.raises(PickleRefused, match="may not stand"):
        read_pickle(CODE[name])
    assert set(sys.modules) == before
    assert ran == []


CLASSES = {("shop", "Maker"): "demo.Maker"}
MAKER = b"cshop\nMaker\n)\x81"
SWAPS = {
    "state twice": MAKER + b"}b}b.",
    "state of a number": MAKER + b"K\x01b.",
    "state of a list as what it is made with": b"cshop\nMaker\n]\x81.",
    "state for a list": b"]}b.",
    "state for a dict": b"}}b.",
    "state for a Decimal": b"cdecimal\nDecimal\n" + text("1") + b"\x85R}b.",
    "state for a name": b"cdecimal\nDecimal\n}b.",
    "attribute that is no text": MAKER + b"}K\x01Nsb.",
    "call of an instance": MAKER + b")R.",
    "call of a text": text("os.system") + b")R.",
    "call with a list": b"cdecimal\nDecimal\n]R.",
    "class made of a list": b"])\x81.",
}


@pytest.mark.parametrize("name", SWAPS)
def test_r2_states_and_classes_are_data(name: str) -> None:
    with pytest.raises(PickleRefused):
        read_pickle(SWAPS[name], classes=CLASSES)


def test_r2_an_object_of_an_allowed_class_is_its_name_and_its_state() -> None:
    state = b"}(" + text("name") + text("m") + text("__class__") + text("os") + text("__dict__") + b"}u"
    found = read_pickle(MAKER + state + b"b.", classes=CLASSES)
    assert (found.title, found.arguments) == ("demo.Maker", ())
    assert found.state == {"name": "m", "__class__": "os", "__dict__": {}}
    assert type(found).__name__ == "Instance"


def doubled(levels: int) -> bytes:
    """A tuple of twice a tuple of twice a tuple …, by the memo."""
    return b"\x80\x04)\x94" + b"".join(b"h" + bytes((at,)) + b"\x86\x94" for at in range(levels))


def doubled_sets(levels: int, first: int) -> bytes:
    """Each a frozenset of the pair of twice the one before; the memo has them from `first` on."""
    return b"(K\x01\x91\x94" + b"".join(b"(" + 2 * (b"h" + bytes((at,))) + b"\x86\x91\x94"
                                        for at in range(first, first + levels))  # fmt: skip


DEEP = b")" + b"\x85" * 199_000
"""Tuples inside each other. Python hashes them with the stack of the process, which ends with it."""
WIDE = b"\x8b" + (8_000).to_bytes(4, "little") + b"\x7f" * 8_000

BOMBS = {
    "text of 2^63 bytes": b"\x8d" + (1 << 63).to_bytes(8, "little"),
    "bytes of 2^64-1 bytes": b"\x8e" + b"\xff" * 8,
    "bytearray of 2^40 bytes": b"\x96" + (1 << 40).to_bytes(8, "little") + b"x",
    "text of 4 GiB": b"X\xff\xff\xff\xff",
    "integer of 2 GiB": b"\x8b\xff\xff\xff\x7f" + b"\1" * 100,
    "integer of negative length": b"\x8b\x00\x00\x00\x80",
    "frame beyond the end": b"\x80\x04\x95" + b"\xff" * 8 + b"N.",
    "frame of one byte more": b"\x80\x04\x95" + (3).to_bytes(8, "little") + b"N.",
    "frame inside a frame": b"\x80\x04\x95" + (11).to_bytes(8, "little") + b"\x95" + bytes(8) + b"N.",
    "a million marks": b"(" * 1_000_000,
    "a million lists": b"]" * 1_000_000,
    "a million lists in lists": b"]" * 1_000_000 + b"a" * 999_999 + b".",
    "a million sets": b"\x8f" * 1_000_000,
    "a million tuples": b"N" + b"\x85" * 1_000_000 + b".",
    "a million references": b"]\x94" + b"h\0" * 1_000_000,
    "a million remembered": b"N" + b"\x94" * 1_000_000 + b".",
    "far remembered": b"N" + b"".join(b"r" + (each * 7 + 1 << 8).to_bytes(4, "little") for each in range(100_000)),
    "digits": b"I" + b"9" * 5_000 + b"\n.",
    "endless digits": b"I" + b"9" * 100_000,
    "decimal of a megabyte": b"cdecimal\nDecimal\n" + text("1" * 1_000_000) + b"\x85R.",
    "decimal of a huge exponent": b"cdecimal\nDecimal\n" + text("1e99999999999999999999") + b"\x85R.",
    "key of doubled tuples": b"}" + doubled(60)[2:] + b"Ns.",
    "set of doubled tuples": b"\x8f(" + doubled(60)[2:] + b"\x90.",
    "name of a megabyte": b"c" + b"a" * 1_000_000 + b"\nb\n.",
    "stack name of a megabyte": text("a" * 1_000_000) + text("b") + b"\x93.",
    "sets of doubled sets": b"(" + doubled_sets(60, 0) + doubled_sets(60, 61) + b"(h\x3ch\x79\x91.",
    "integer of a megabyte": b"\x8b" + (1 << 20).to_bytes(4, "little") + b"\x7f" * (1 << 20) + b".",
    "long integer in many sets": b"(" + WIDE + b"\x94" + b"\x8f(h\0\x90" * 1_000 + b"t.",
    "bytes of a text again and again": b"(c_codecs\nencode\n\x94"
    + text("a" * 100_000)
    + b"\x94"
    + text("latin1")
    + b"\x94"
    + b"h\0h\1h\2\x86R" * 1_000
    + b"t.",
    "decimal of a text again and again": b"(cdecimal\nDecimal\n\x94"
    + text("7" * 20_000)
    + b"\x94"
    + b"h\0h\1\x85R" * 1_000
    + b"t.",
    "state again and again": b"(}("
    + b"".join(text(f"{at:05}") + b"N" for at in range(4_000))
    + b"u\x94"
    + b"cuuid\nUUID\n\x94"
    + b"h\1)\x81h\0b" * 1_000
    + b"t.",
}


@pytest.mark.parametrize("name", BOMBS)
def test_r3_bombs_cost_no_more_than_the_limits(name: str) -> None:
    with cpu_within(0.5), pytest.raises(PickleRefused) as raised:
        read_pickle(BOMBS[name], SMALL)
    assert len(str(raised.value)) < 200


DEEP_KEYS = {
    "encoding that is a deep tuple": b"c_codecs\nencode\n" + text("a") + DEEP + b"\x86R.",
    "array of a deep tuple": b"carray\narray\n" + DEEP + b"]\x86R.",
}


@pytest.mark.parametrize("name", DEEP_KEYS)
def test_r3_what_is_looked_up_is_never_a_deep_tuple(name: str) -> None:
    with pytest.raises(PickleRefused, match="stand for no value"):
        read_pickle(DEEP_KEYS[name])


def test_r3_the_same_element_of_many_sets_is_no_bomb() -> None:
    one = b"(cdecimal\nDecimal\n" + text("1.5") + b"\x85R\x91"
    assert read_pickle(b"](" + one * 100 + b"e.") == [frozenset({Decimal("1.5")})] * 100


def test_r3_keys_with_one_hash() -> None:
    modulus = sys.hash_info.modulus
    keys = b"".join(b"\x8b\x20\0\0\0" + (modulus * (each << 80)).to_bytes(32, "little", signed=True) + b"N"
                    for each in range(1, 20_000))  # fmt: skip
    decimals = b"".join(
        b"cdecimal\nDecimal\n" + text(str(Decimal(modulus * each))) + b"\x85RN"
        for each in range(1 << 64, (1 << 64) + 3_000)
    )
    for data in (b"}(" + keys + b"u.", b"}(" + decimals + b"u."):
        with cpu_within(1.0), pytest.raises(PickleRefused, match="same hash"):
            read_pickle(data, Bounds())


FOREIGN = {
    "persistent id": b"P1\n.",
    "binary persistent id": b"K\x01Q.",
    "extension 1": b"\x82\x01.",
    "extension 2": b"\x83\x01\0.",
    "extension 4": b"\x84\x01\0\0\0.",
    "out-of-band buffer": b"\x80\x05\x97.",
    "read-only buffer": b"\x80\x05N\x98.",
    "dup": b"N2.",
    "pop": b"NN0.",
    "pop to mark": b"N(N1.",
    "instance": b"(ios\nsystem\n.",
    "object": b"(cos\nsystem\no.",
    "new object with keywords": b"cdecimal\nDecimal\n)}\x92.",
    "dict without a value": b"(K\x01d.",
    "dict with a key twice": b"(K\x01NK\x01Nd.",
    "text string of protocol 0": b"S'a'\n.",
    "text unicode of protocol 0": b"Va\n.",
    "text put of protocol 0": b"Np0\n.",
    "text get of protocol 0": b"g0\n.",
    "unknown opcode": b"\xff.",
    "protocol 6": b"\x80\x06N.",
    "protocol in the middle": b"N\x80\x04.",
    "nothing": b"",
    "no end": b"\x80\x04N",
    "nothing before the end": b"\x80\x04.",
    "two values": b"NN.",
    "open mark": b"(N.",
    "something behind": b"N.N",
    "text that is no UTF-8": b"X\x01\0\0\0\xff.",
    "old text that is no UTF-8": b"U\x01\xff.",
    "forgotten reference": b"h\x07.",
    "key without a value": b"}(K\x01u.",
    "key twice": b"}(K\x01NK\x01Nu.",
    "key twice one by one": b"}K\x01NsK\x01Ns.",
    "list as a key": b"}]Ns.",
    "item for no list": b"NNa.",
    "items for no dict": b"](NNu.",
    "number that is none": b"Iabc\n.",
    "number of other digits": "I\u0661\n.".encode(),
    "float that is none": b"Fabc\n.",
    "date of a wrong size": b"cdatetime\ndate\nC\x01a\x85R.",
    "date out of range": b"cdatetime\ndate\nC\x04\x07\xea\x0d\x01\x85R.",
    "zone out of range": b"cdatetime\ntimezone\ncdatetime\ntimedelta\nM\xff\xff\x85R\x85R.",
    "decimal of a number": b"cdecimal\nDecimal\nK\x01\x85R.",
    "uuid of rubbish": b"cuuid\nUUID\n" + text("x" * 36) + b"\x85R.",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_r4_opcodes_and_forms_that_are_refused(name: str) -> None:
    with pytest.raises(PickleRefused):
        read_pickle(FOREIGN[name])


def test_r4_protocol_0_is_refused_as_soon_as_it_is_text() -> None:
    for value in ({"a": 1}, ["a"], "a", (1, "b")):
        with pytest.raises(PickleRefused, match="opcode"):
            read_pickle(pickle.dumps(value, 0))


def test_every_opcode_is_known_to_be_read_or_refused() -> None:
    known = {ord(each.code) for each in pickletools.opcodes}
    for code in range(256):
        if code not in known:
            with pytest.raises(PickleRefused, match="opcode"):
                read_pickle(bytes((code,)) + b"." * 20)
