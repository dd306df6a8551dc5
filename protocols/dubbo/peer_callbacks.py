"""Callbacks of the peer of a server connection: found among the arguments of its calls, and called.

A caller sends null in the place of the argument and says `sys_callback_arg-<position>` = `<number>` beside it. From
then on it takes requests on the connection whose path is the callback's interface and whose attachment
`callback.service.instid` is that number. They look as any other request, so the client's codec makes them and reads
the answers.

Source: apache/dubbo: dubbo-rpc/dubbo-rpc-dubbo/src/main/java/org/apache/dubbo/rpc/protocol/dubbo
(`CallbackServiceCodec.java`, `ChannelWrappedInvoker.java`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakValueDictionary

from gateway.model.call import Invocation, Result
from gateway.model.callback import Callback
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, ConnectionLost, NoSuchService, Overloaded, Retry
from protocols import java
from protocols.contract import PeerCaller, ReplyReceived
from protocols.dubbo.attachments import CALLBACK_INSTANCE
from protocols.dubbo.client import DubboBinding, DubboClientCodec
from protocols.dubbo.frame import HEADER
from protocols.dubbo.raw import DubboArguments
from protocols.dubbo.service import CallbackParam
from protocols.reader import Limits

__all__ = ["CallbackOptions", "PeerCallbacks", "refuse_strays"]

_LONGEST_NUMBER: Final = 11
_LOWEST: Final = -(2**31)
_HIGHEST: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class CallbackOptions:
    """`limit`: callbacks of one interface that a connection may have, Dubbo's `callbacks`. `timeout_s`: of a call to
    one that does not say how long it may take. `application`: the name callers are told."""

    limit: int = 1
    timeout_s: float = 1.0
    application: str = "polyport"


def refuse_strays(said: Mapping[str, Any], params: Sequence[CallbackParam], raw: DubboArguments) -> None:
    """Refuses a null that stands for a callback where the contract has none, or where there is no contract.

    What is said about other arguments means nothing: Dubbo 3 sends attachments of a call it serves on with the calls it
    makes meanwhile.

    Raises:
        BadRequest: there is one.
    """
    strays = set(said) - {str(param.position) for param in params}
    for position, is_null in enumerate(raw.nulls()) if strays else ():
        if is_null and str(position) in strays:
            raise BadRequest(f"args[{position}] is a callback, and this method has none there")


class PeerCallbacks:
    """The callbacks of one connection, and the calls to them that wait for an answer.

    A callback counts as long as somebody here holds it, or until its owner takes it back.
    """

    __slots__ = ("_abandoned", "_caller", "_held", "_options", "_why", "codec")

    def __init__(self, options: CallbackOptions, limits: Limits, caller: PeerCaller) -> None:
        self._options = options
        self._caller: PeerCaller | None = caller
        self._held: dict[str, WeakValueDictionary[int, _PeerCallback]] = {}
        """By Java interface and number."""
        self._abandoned = 0
        self._why = ""
        self.codec: Final = DubboClientCodec(limits)
        """Makes the calls and reads their answers."""

    def offered(self, params: Sequence[CallbackParam], said: Mapping[str, Any], group: str) -> dict[int, Callback]:
        """The callbacks of a call, by position. `said`: position to number, as the caller wrote them.

        Raises:
            BadRequest: a callback is missing, or its number is no Java int.
            Overloaded: the connection has as many of them as it may have.
        """
        return {param.position: self._callback(param, said.get(str(param.position)), group) for param in params}

    def _callback(self, param: CallbackParam, said: Any, group: str) -> Callback:
        interface = java.interface_name(param.service.contract)
        number = _number(said)
        if number is None:
            where = f"args[{param.position}]: expected a callback {interface}"
            if said is None:
                raise BadRequest(f"{where}; the caller must declare this parameter with callback=true")
            raise BadRequest(f"{where} with an int as its number")
        held = self._held.setdefault(interface, WeakValueDictionary())
        found = held.get(number)
        if found is not None and found.withdrawn:
            del held[number]
            found = None
        if param.withdrawn:
            held.pop(number, None)
            callback = found or self._make(param, interface, number, group)
            callback.withdrawn = True
            return callback
        if found is None:
            if sum(not each.withdrawn for each in held.values()) >= self._options.limit:
                raise Overloaded(f"a connection may have {self._options.limit} callbacks {interface}")
            found = held[number] = self._make(param, interface, number, group)
        return found

    def _make(self, param: CallbackParam, interface: str, number: int, group: str) -> _PeerCallback:
        # Dubbo consumers look a callback up by the group of the service it was given to, and by no version.
        key = ServiceKey(param.service.contract.name, group)
        more = {CALLBACK_INSTANCE: str(number)}
        binding = DubboBinding(key, param.service, "", self._options.application, more)
        return _PeerCallback(self, binding, (interface, number))

    async def make_call(self, binding: DubboBinding, invocation: Invocation) -> Result:
        """Calls a callback."""
        if self._caller is None:
            raise ConnectionLost(self._why, retry=Retry.NEVER)
        return await self._caller.call_peer(binding, invocation)

    def dismiss(self) -> None:
        """Sends the peer away: there is no other way to say that a callback of it will be called no more."""
        if self._caller is not None:
            self._caller.dismiss()

    def reply(self, frame: bytes) -> ReplyReceived | None:
        """The answer in a response frame; None when no call was made that it could answer."""
        request_id: int = HEADER.unpack_from(frame)[3]
        if not self.codec.expects(request_id):
            if not self._abandoned:
                return None
            self._abandoned -= 1
        return self.codec.reply_received(frame)

    def abandon(self, call_id: int) -> None:
        """Nobody waits for this answer any more. It may come all the same."""
        self._abandoned += 1
        self.codec.abandon(call_id)

    def close(self, why: str) -> None:
        """The connection is gone."""
        self._caller, self._why = None, why
        for held in self._held.values():
            for callback in tuple(held.values()):
                callback.end()


class _PeerCallback(Callback):
    """One of them."""

    __slots__ = ("_binding", "_owner", "withdrawn")

    def __init__(self, owner: PeerCallbacks, binding: DubboBinding, name: tuple[str, int]) -> None:
        assert binding.service is not None
        super().__init__(binding.service.contract, (id(owner), *name), owner)
        self._owner = owner
        self._binding = binding
        self.withdrawn = False
        """Its owner took it back, or knows it no more."""

    async def call(self, invocation: Invocation) -> Result:
        """See `Callback.call`."""
        if self.withdrawn:
            raise NoSuchService(f"the callback {self.contract.name} was taken back")
        try:
            return await self._owner.make_call(self._binding, invocation)
        except NoSuchService:
            self.withdrawn = True
            raise

    def lost(self, why: str) -> None:
        """See `Callback.lost`."""
        if not self.withdrawn:
            self._owner.dismiss()


def _number(said: Any) -> int | None:
    """The number of a callback. Java's are hash codes, but any int will do."""
    if isinstance(said, str):
        digits = said.removeprefix("-")
        if not (digits.isascii() and digits.isdecimal() and len(said) <= _LONGEST_NUMBER):
            return None
        said = int(said)
    if not isinstance(said, int) or isinstance(said, bool):
        return None
    return said if _LOWEST <= said <= _HIGHEST else None
