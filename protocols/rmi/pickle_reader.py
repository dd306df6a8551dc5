"""Reads pickles as data: a closed set of opcodes and names, nothing is imported, nothing is called.

What comes out are values of None, bool, int, float, str, bytes, list, tuple, dict, set, frozenset, Decimal, date, time,
datetime, timedelta, UUID, and `Instance` for classes that were allowed. Opcodes are those that CPython (protocols 1 to
5), net.razorvine:pickle and og-rek write for such values. Refused are persistent ids, extension codes, out-of-band
buffers, text opcodes of protocol 0 but for numbers, everything that works on the stack itself, and every name that is
not in `protocols.rmi.reduction`. Lengths are compared with what is there before anything is allocated.

The opcodes are described in CPython: Lib/pickletools.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from struct import Struct
from types import MappingProxyType
from typing import Any, Final

from protocols.rmi.pickle_keys import Keys
from protocols.rmi.reduction import BUILD_ERRORS, REDUCTIONS, UUID_NAME, Instance, Name, PickleRefused

__all__ = ["DEFAULT_BOUNDS", "Bounds", "Instance", "PickleRefused", "read_pickle"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one pickle may hold. `depth`: containers inside each other. `elements`: values of all containers together,
    where a container counts five; what is used again by a reference counts once. `name_bytes`: of a class."""

    depth: int = 64
    elements: int = 1_000_000
    name_bytes: int = 256


DEFAULT_BOUNDS: Final = Bounds()
NO_CLASSES: Final[Mapping[tuple[str, str], str]] = MappingProxyType({})
_CONTAINER: Final = 5
_SET: Final = 10
"""An empty set takes four times the memory of an empty list."""
_MEMO: Final = 2
_FAR_MEMO: Final = 6
_MAX_DIGITS: Final = 4_300
_MAX_INT_BYTES: Final = 8_306
"""Of 20,000 decimal digits, as many as a Decimal may have. Turning one into the other takes the square of it."""
_PER_ELEMENT: Final = 16
"""Bytes of an argument that is converted, for each of which an element is charged."""
_U2, _U4, _I4, _U8, _F8 = Struct("<H"), Struct("<I"), Struct("<i"), Struct("<Q"), Struct(">d")


def read_pickle(
    data: bytes,
    bounds: Bounds = DEFAULT_BOUNDS,
    classes: Mapping[tuple[str, str], str] = NO_CLASSES,
    start: int = 0,
) -> Any:
    """The value of the pickle that begins at `start` and ends with `data`: a copy of a large one would cost too much.

    `classes`: module and name of further classes, to what `Instance.title` shall be.

    Raises:
        PickleRefused: it is malformed, too large, or speaks of something else.
    """
    return _Machine(data, start, bounds, classes).run()


class _Machine:
    """The stack machine of one pickle."""

    __slots__ = (
        "bounds",
        "classes",
        "data",
        "end",
        "far",
        "frame_end",
        "items",
        "keys",
        "marks",
        "memo",
        "pos",
        "room",
        "start",
    )

    def __init__(self, data: bytes, start: int, bounds: Bounds, classes: Mapping[tuple[str, str], str]) -> None:
        self.data = data
        self.end = len(data)
        self.start = self.pos = start
        self.bounds = bounds
        self.classes = classes
        self.items: list[Any] = []
        """What was pushed since the last mark."""
        self.marks: list[list[Any]] = []
        """What was pushed before each mark that is open."""
        self.memo: list[Any] = []
        self.far: dict[int, Any] = {}
        """What was remembered under a number out of turn."""
        self.room = bounds.elements
        self.frame_end = 0
        self.keys = Keys(bounds.depth)

    def run(self) -> Any:
        """The value."""
        data, end, steps = self.data, self.end, _STEPS
        pos, items = self.pos, self.items
        try:
            while pos < end:
                code = data[pos]
                if code == _SHORT_TEXT and pos + 1 < end and (after := pos + 2 + data[pos + 1]) <= end:
                    # Most of what there is: names of fields and members.
                    self.room -= 1
                    items.append(data[pos + 2 : after].decode("utf-8", "surrogatepass"))
                    pos = after
                    continue
                self.pos = pos + 1
                if code == _STOP:
                    return self.finish()
                steps[code](self)
                pos, items = self.pos, self.items
            raise PickleRefused("the pickle has no end")
        except IndexError:
            raise PickleRefused("an opcode of the pickle finds too little before it") from None
        except UnicodeDecodeError:
            raise PickleRefused("a text of the pickle is not UTF-8") from None
        except RecursionError:
            raise PickleRefused("the pickle is nested too deep") from None

    def finish(self) -> Any:
        self.charge(0)
        if self.marks or len(self.items) != 1:
            raise PickleRefused("the pickle ends inside a value, or with several")
        if self.pos != self.end:
            raise PickleRefused("there is something behind the end of the pickle")
        return self.items[0]

    # Bytes

    def take(self, size: int) -> bytes:
        """The next bytes."""
        pos = self.pos
        if size > self.end - pos:
            raise PickleRefused("a length in the pickle goes beyond its end")
        self.pos = pos + size
        return self.data[pos : pos + size]

    def sized(self, form: Struct) -> bytes:
        """The bytes behind their length."""
        (size,) = form.unpack(self.take(form.size))
        return self.take(size)

    def line(self, most: int) -> str:
        """The text up to the next line feed."""
        end = self.data.find(b"\n", self.pos, self.pos + most + 1)
        if end < 0:
            raise PickleRefused("a line of the pickle is too long, or has no end")
        text = self.data[self.pos : end].decode()
        self.pos = end + 1
        return text

    # The stack

    def charge(self, cost: int) -> None:
        """Counts what is made."""
        self.room -= cost
        if self.room < 0:
            raise PickleRefused(f"the pickle has more than {self.bounds.elements} elements, a container counting five")

    def push(self, value: Any, cost: int = 1) -> None:
        self.room -= cost
        if self.room < 0:
            self.charge(0)
        self.items.append(value)

    def open_mark(self) -> None:
        if len(self.marks) > self.bounds.depth * 4:
            raise PickleRefused("too many marks of the pickle are open")
        self.marks.append(self.items)
        self.items = []

    def close_mark(self) -> list[Any]:
        """What was pushed since the last mark."""
        found = self.items
        self.items = self.marks.pop()
        return found

    # Names

    def find(self, module: str, name: str) -> None:
        """Pushes what a name stands for."""
        key = (module, name)
        found = REDUCTIONS.get(key)
        if found is None:
            title = self.classes.get(key)
            if title is None:
                raise PickleRefused(f"{f'{module}.{name}'[:80]!r} may not stand in a pickle here")
            found = Name(title)
        self.push(found)

    def reduce(self) -> None:
        arguments = self.items.pop()
        name = self.items[-1]
        if type(name) is not Name or type(arguments) is not tuple:
            raise PickleRefused("the pickle calls what is no name")
        self.items[-1] = self.built(name, arguments)

    def built(self, name: Name, arguments: tuple[Any, ...]) -> Any:
        """What a call stands for."""
        if name.build is not None:
            first = arguments[0] if arguments else None
            self.charge(1 + (len(first) // _PER_ELEMENT if isinstance(first, str | bytes) else 0))
            try:
                return name.build(arguments)
            except BUILD_ERRORS:
                raise PickleRefused(f"{name.title} with arguments that stand for no value") from None
        if name.collect is not None:
            return self.collection(name, name.collect, arguments)
        return Instance(name.title, arguments)

    def collection(self, name: Name, collect: Callable[[list[Any]], Any], arguments: tuple[Any, ...]) -> Any:
        items = arguments[0] if arguments else []
        if len(arguments) > 1 or type(items) is not list:
            raise PickleRefused(f"{name.title} with arguments that stand for no value")
        self.charge(_SET + len(items))
        if collect is dict:
            made: dict[Any, Any] = {}
            for pair in items:
                if type(pair) not in (list, tuple) or len(pair) != 2:
                    raise PickleRefused("OrderedDict of something else than pairs")
                self.set_item(made, pair[0], pair[1])
            return made
        if collect is set or collect is frozenset:
            self.keys.check(items, items, self.charge)
        return collect(items)

    def new_object(self) -> None:
        arguments = self.items.pop()
        name = self.items[-1]
        if type(name) is not Name or type(arguments) is not tuple:
            raise PickleRefused("the pickle makes an object of what is no class")
        self.charge(_CONTAINER)
        bare = name is UUID_NAME and not arguments
        self.items[-1] = Instance(name.title, ()) if bare else self.built(name, arguments)

    def build(self) -> None:
        state = self.items.pop()
        target = self.items[-1]
        if type(state) is tuple and len(state) == 2 and state[0] is None:
            # Of a class with slots.
            state = state[1]
        if type(target) is not Instance or target.state is not None or type(state) not in (dict, list):
            raise PickleRefused("the pickle gives a state to what takes none")
        # A state that was remembered is looked through each time.
        self.charge(len(state))
        if type(state) is dict and not all(type(key) is str for key in state):
            raise PickleRefused("the pickle sets attributes whose names are no texts")
        target.state = state

    # Containers

    def set_item(self, target: dict[Any, Any], key: Any, value: Any) -> None:
        self.keys.check(target, [key], self.charge)
        if key in target:
            raise PickleRefused("a key of the pickle stands twice")
        target[key] = value

    def top(self, cls: type[Any]) -> Any:
        target = self.items[-1]
        if type(target) is not cls:
            raise PickleRefused(f"the pickle adds to what is no {cls.__name__}")
        return target

    def append(self) -> None:
        value = self.items.pop()
        self.top(list).append(value)

    def extend(self) -> None:
        found = self.close_mark()
        self.top(list).extend(found)

    def put_item(self) -> None:
        value, key = self.items.pop(), self.items.pop()
        self.set_item(self.top(dict), key, value)

    def put_items(self) -> None:
        found = self.close_mark()
        target = self.top(dict)
        if len(found) % 2:
            raise PickleRefused("a key of the pickle has no value")
        keys = found[::2]
        self.keys.check(target, keys, self.charge)
        before = len(target)
        target.update(zip(keys, found[1::2], strict=True))
        if len(target) != before + len(keys):
            raise PickleRefused("a key of the pickle stands twice")

    def list_of(self) -> None:
        self.push(self.close_mark(), _CONTAINER)

    def dict_of(self) -> None:
        found = self.close_mark()
        if len(found) % 2:
            raise PickleRefused("a key of the pickle has no value")
        made: dict[Any, Any] = {}
        self.push(made, _CONTAINER)
        for at in range(0, len(found), 2):
            self.set_item(made, found[at], found[at + 1])

    def add_items(self) -> None:
        found = self.close_mark()
        target = self.top(set)
        self.keys.check(target, found, self.charge)
        target.update(found)

    def frozen(self) -> None:
        found = self.close_mark()
        self.keys.check(found, found, self.charge)
        self.push(frozenset(found), _SET)

    def tuple_of(self, size: int) -> None:
        items = self.items
        if len(items) < size:
            raise IndexError
        made = tuple(items[-size:])
        del items[-size:]
        self.push(made, _CONTAINER)

    # The memo

    def remember(self, number: int) -> None:
        value = self.items[-1]
        if number == len(self.memo):
            self.charge(_MEMO)
            self.memo.append(value)
        else:
            self.charge(_FAR_MEMO)
            self.far[number] = value

    def recall(self, number: int) -> None:
        if number < len(self.memo) and number not in self.far:
            self.push(self.memo[number])
        elif number in self.far:
            self.push(self.far[number])
        else:
            raise PickleRefused("the pickle refers to what it has not remembered")

    # Numbers

    def whole(self, raw: bytes) -> None:
        if len(raw) > _MAX_INT_BYTES:
            raise PickleRefused(f"an integer of {len(raw)} bytes; at most {_MAX_INT_BYTES} are taken")
        self.push(int.from_bytes(raw, "little", signed=True))

    def text_number(self, *, is_long: bool) -> None:
        text = self.line(_MAX_DIGITS)
        if not is_long and text in ("00", "01"):
            self.push(text == "01")
            return
        digits = text.removesuffix("L") if is_long else text
        if not (digits.isascii() and digits.removeprefix("-").isdigit()):
            raise PickleRefused("a number of the pickle is none")
        self.push(int(digits))

    def text_float(self) -> None:
        try:
            self.push(float(self.line(64)))
        except ValueError as exc:
            if isinstance(exc, PickleRefused):
                raise
            raise PickleRefused("a number of the pickle is none") from None

    # Ends

    def proto(self) -> None:
        if self.pos != self.start + 1 or self.take(1)[0] > 5:
            raise PickleRefused("a pickle of a protocol above 5, or one inside another")

    def frame(self) -> None:
        (size,) = _U8.unpack(self.take(8))
        if self.pos < self.frame_end or size > self.end - self.pos:
            raise PickleRefused("a frame of the pickle goes beyond its end, or begins inside another")
        self.frame_end = self.pos + size

    def stack_name(self) -> None:
        name, module = self.items.pop(), self.items.pop()
        if type(name) is not str or type(module) is not str or len(name) + len(module) > self.bounds.name_bytes:
            raise PickleRefused("a name of the pickle is no text, or too long")
        self.find(module, name)


_Step = Callable[[_Machine], None]
_STOP: Final = ord(".")
_SHORT_TEXT: Final = 0x8C


def _refuse(machine: _Machine) -> None:
    code = machine.data[machine.pos - 1]
    raise PickleRefused(f"opcode 0x{code:02x} may not stand in a pickle here")


def _text(machine: _Machine, form: Struct) -> None:
    machine.push(machine.sized(form).decode("utf-8", "surrogatepass"))


def _old_text(machine: _Machine, form: Struct) -> None:
    # Text of Python 2 has no encoding; what other languages write with it is UTF-8.
    machine.push(machine.sized(form).decode())


_U1: Final = Struct("B")


def _steps() -> tuple[_Step, ...]:
    steps: dict[int, _Step] = {
        ord("("): _Machine.open_mark,
        ord("N"): lambda m: m.push(None),
        0x88: lambda m: m.push(True),
        0x89: lambda m: m.push(False),
        ord("K"): lambda m: m.push(m.take(1)[0]),
        ord("M"): lambda m: m.push(_U2.unpack(m.take(2))[0]),
        ord("J"): lambda m: m.push(_I4.unpack(m.take(4))[0]),
        0x8A: lambda m: m.whole(m.sized(_U1)),
        0x8B: lambda m: m.whole(m.sized(_U4)),
        ord("I"): lambda m: m.text_number(is_long=False),
        ord("L"): lambda m: m.text_number(is_long=True),
        ord("G"): lambda m: m.push(_F8.unpack(m.take(8))[0]),
        ord("F"): _Machine.text_float,
        0x8C: lambda m: _text(m, _U1),
        ord("X"): lambda m: _text(m, _U4),
        0x8D: lambda m: _text(m, _U8),
        ord("U"): lambda m: _old_text(m, _U1),
        ord("T"): lambda m: _old_text(m, _U4),
        ord("C"): lambda m: m.push(m.sized(_U1)),
        ord("B"): lambda m: m.push(m.sized(_U4)),
        0x8E: lambda m: m.push(m.sized(_U8)),
        0x96: lambda m: m.push(m.sized(_U8)),
        ord("]"): lambda m: m.push([], _CONTAINER),
        ord("a"): _Machine.append,
        ord("e"): _Machine.extend,
        ord("l"): _Machine.list_of,
        ord("}"): lambda m: m.push({}, _CONTAINER),
        ord("d"): _Machine.dict_of,
        ord("s"): _Machine.put_item,
        ord("u"): _Machine.put_items,
        0x8F: lambda m: m.push(set(), _SET),
        0x90: _Machine.add_items,
        0x91: _Machine.frozen,
        ord(")"): lambda m: m.push(()),
        ord("t"): lambda m: m.push(tuple(m.close_mark()), _CONTAINER),
        0x85: lambda m: m.tuple_of(1),
        0x86: lambda m: m.tuple_of(2),
        0x87: lambda m: m.tuple_of(3),
        ord("q"): lambda m: m.remember(m.take(1)[0]),
        ord("r"): lambda m: m.remember(_U4.unpack(m.take(4))[0]),
        0x94: lambda m: m.remember(len(m.memo)),
        ord("h"): lambda m: m.recall(m.take(1)[0]),
        ord("j"): lambda m: m.recall(_U4.unpack(m.take(4))[0]),
        ord("c"): lambda m: m.find(m.line(m.bounds.name_bytes), m.line(m.bounds.name_bytes)),
        0x93: _Machine.stack_name,
        ord("R"): _Machine.reduce,
        0x81: _Machine.new_object,
        ord("b"): _Machine.build,
        0x80: _Machine.proto,
        0x95: _Machine.frame,
    }
    return tuple(steps.get(code, _refuse) for code in range(256))


_STEPS: Final = _steps()
