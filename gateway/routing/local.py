"""The handler of a hosted service: runs the Python methods that implement a contract."""

from __future__ import annotations

import logging
import time
from asyncio import CancelledError
from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any, Final

from gateway.contracts.binding import compile_arguments
from gateway.contracts.call import Call
from gateway.contracts.fault import fault_of
from gateway.contracts.implementation import bind_implementation
from gateway.contracts.stub import callback_proxies
from gateway.contracts.values import Checker
from gateway.model.call import Invocation, Ok, Result
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.errors import (
    BadRequest,
    ConnectFailed,
    NoProvider,
    NoSuchMethod,
    Retry,
    RpcError,
    ValueMappingError,
    restated,
)
from gateway.telemetry.logs import call_fields, shorten
from gateway.telemetry.once_per import OncePer

__all__ = ["LocalService"]

_LOG: Final = logging.getLogger("polyport.service")
_SAME_FAILURE_S: Final = 10.0

# Not a method's own failure but the end of the call or of the process: these are never turned into an answer. A method
# that calls sys.exit is not among them: no caller may be able to end the process for all others.
_PASSED_ON: Final = (RpcError, CancelledError, GeneratorExit, KeyboardInterrupt)


class LocalService:
    """Runs the method a call names and gives what it returned or raised.

    Methods are looked up when this is built. An `async def` method is awaited, a `def` method is called where it stands
    and holds up the loop while it runs. A parameter with the type `gateway.contracts.Call` gets the call.

    An exception the method raises is its answer, whatever it is: a declared one as declared, any other under its class
    name; those are logged with their traceback, one line per place they come from and ten seconds. An
    `RpcError` it raises passes as trouble of the call.
    """

    __slots__ = ("_checks", "_contract", "_failures", "_methods", "_proxies")

    def __init__(
        self, contract: ServiceContract, implementation: object, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Raises ContractError when the implementation does not fit the contract; names every method that does not."""
        self._contract = contract
        self._methods = {
            attribute: (method.contract, method.function, method.call_parameter, iscoroutinefunction(method.function))
            for attribute, method in bind_implementation(contract, implementation).items()
        }
        checker = Checker(contract)
        self._checks = {method.attribute: compile_arguments(method, checker) for method in contract.methods}
        self._proxies = {name: callback_proxies(each) for name, each in contract.callbacks.items()}
        self._failures = OncePer(_SAME_FAILURE_S, clock=clock)

    async def __call__(self, invocation: Invocation) -> Result:
        """The method's answer.

        Raises:
            BadRequest: the arguments do not fit the contract.
            NoSuchMethod: the contract has no such method.
            RpcError: the method raised it.
        """
        signature = invocation.signature
        if signature is None:
            signature = self._resolve(invocation)
        try:
            method, function, call_parameter, is_coroutine_function = self._methods[signature.attribute]
        except KeyError:
            raise self._no_such_method(invocation) from None
        arguments = invocation.arguments()
        if invocation.peer is None:
            # A caller in this process: no wire has looked at its arguments.
            try:
                arguments = self._checks[signature.attribute](arguments)
            except ValueMappingError as error:
                raise BadRequest(f"{signature.name}: {error}") from error
        if method.callbacks:
            arguments = self._with_proxies(arguments, method)
        call: Call | None = None
        try:
            if call_parameter is None:
                value = function(*arguments)
            else:
                call = Call.of(invocation)
                value = function(*arguments, **{call_parameter: call})
            # A plain function may still give something to await: it may be a partial, or compiled.
            if is_coroutine_function or hasattr(value, "__await__"):
                value = await value
        except RpcError as error:
            if error.retry is not Retry.SAFE or not _is_of_another_call(error):
                raise
            # That one may be repeated without harm, this one has run.
            made = restated(error, str(error))
            made.retry = Retry.IF_IDEMPOTENT
            raise made from error
        except _PASSED_ON:
            raise
        except BaseException as error:  # A method must not end the server, nor leave its caller without an answer.
            return self._fault(invocation, method, error, call)
        if call is not None and call.reply_attachments:
            return Ok(value, call.reply_attachments)
        return Ok(value)

    def _with_proxies(self, arguments: tuple[Any, ...], method: MethodContract) -> tuple[Any, ...]:
        values = list(arguments)
        for at in method.callbacks:
            values[at] = self._proxies[method.params[at].type.name](values[at])
        return tuple(values)

    def _fault(self, invocation: Invocation, method: MethodContract, error: BaseException, call: Call | None) -> Result:
        fault = fault_of(error, method, self._contract)
        if not fault.declared:
            self._log(invocation, error)
        return fault if call is None else fault.with_attachments(call.reply_attachments)

    def _log(self, invocation: Invocation, error: BaseException) -> None:
        held_back = self._failures.admit((invocation.method, type(error), _origin(error)))
        if held_back is not None:
            fields = call_fields(invocation)
            if held_back:
                fields["repeated"] = held_back
            kind = type(error).__qualname__
            _LOG.error("%s.%s raised %s", fields["service"], fields["method"], kind, extra=fields, exc_info=error)

    def _resolve(self, invocation: Invocation) -> MethodContract:
        """The method of a call that came without one: by name, overloads by their number of parameters."""
        overloads = self._contract.overloads(invocation.method)
        if len(overloads) > 1:
            count = len(invocation.arguments())
            overloads = tuple(each for each in overloads if len(each.params) == count) or overloads
        if len(overloads) > 1:
            choice = ", ".join(each.signature for each in overloads)
            raise BadRequest(f"{invocation.service}.{shorten(invocation.method)} does not say which of {choice}")
        if not overloads:
            raise self._no_such_method(invocation)
        return overloads[0]

    def _no_such_method(self, invocation: Invocation) -> NoSuchMethod:
        names = ", ".join(sorted({each.name for each in self._contract.methods}))
        return NoSuchMethod(f"{self._contract.name} has no method {shorten(invocation.method)}, it has {names}")


def _is_of_another_call(error: RpcError) -> bool:
    """Whether it ended a call that the method made itself. Other than that a method may say that it has no room."""
    # Whoever chose a provider has left an explanation, and so has a callback.
    return isinstance(error, ConnectFailed | NoProvider) or error.explanation is not None


def _origin(error: BaseException) -> tuple[str, int] | None:
    """File and line that raised."""
    frame: Any = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return None if frame is None else (frame.tb_frame.f_code.co_filename, frame.tb_lineno)
