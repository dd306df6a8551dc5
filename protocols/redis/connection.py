"""Commands about the connection itself: who calls, in which version of RESP, and whether it is there.

Texts are those of Redis 7 (redis/redis src/networking.c, src/acl.c, src/db.c).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from protocols.redis.command import NO_MULTI, Command, Refused, Run
from protocols.redis.resp import OK, array, bulk, mapping, nil, text, verbatim
from protocols.redis.session import ReplyMode, Session

__all__ = ["CONNECTION_COMMANDS", "VERSION"]

VERSION: Final = "7.2.4"
"""What clients go by; the commands that they expect of it are there, or say that they are not."""
_DATABASES: Final = 16
_I32: Final = (-(2**31), 2**31 - 1)
_INTEGER: Final = re.compile(rb"-?[1-9][0-9]{0,18}|0")
_VISIBLE: Final = re.compile(rb"[!-~]*")
_BAD_NAME: Final = "Client names cannot contain spaces, newlines or special characters."
_WRONG_PASSWORD: Final = "-WRONGPASS invalid username-password pair or user is disabled."
_NO_PASSWORD: Final = (
    "AUTH <password> called without any password configured for the default user. Are you sure your configuration is "
    "correct?"
)
_STRANGER_HELLO: Final = (
    "-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> "
    "option can be used to authenticate the client and select the RESP protocol version at the same time"
)
_CAPABILITY: Final = b"polyport"


def _ping(run: Run, words: Sequence[bytes]) -> bytes:
    if len(words) > 2:
        raise Refused("wrong number of arguments for 'ping' command")
    return bulk(words[1]) if len(words) == 2 else b"+PONG\r\n"


def _echo(run: Run, words: Sequence[bytes]) -> bytes:
    return bulk(words[1])


def _quit(run: Run, words: Sequence[bytes]) -> bytes:
    return OK


def _reset(run: Run, words: Sequence[bytes]) -> bytes:
    run.session.begin(not run.listener.secrets)
    return b"+RESET\r\n"


def _select(run: Run, words: Sequence[bytes]) -> bytes:
    if _INTEGER.fullmatch(words[1]) is None:
        raise Refused("value is not an integer or out of range")
    number = int(words[1])
    if not _I32[0] <= number <= _I32[1]:
        raise Refused(f"value is out of range, value must between {_I32[0]} and {_I32[1]}")
    if not 0 <= number < _DATABASES:
        raise Refused("DB index is out of range")
    run.session.db = number
    return OK


def _auth(run: Run, words: Sequence[bytes]) -> bytes:
    if len(words) > 3:
        raise Refused("syntax error")
    if len(words) == 2 and not run.listener.secrets:
        raise Refused(_NO_PASSWORD)
    _authenticate(run, words[1] if len(words) == 3 else b"default", words[-1])
    return OK


def _authenticate(run: Run, user: bytes, password: bytes) -> None:
    """Raises `Refused` for a name or secret that is not known."""
    listener, session = run.listener, run.session
    if not listener.secrets:
        # As Redis without a password: its user `default` takes any.
        if user != b"default":
            raise Refused(_WRONG_PASSWORD)
        return
    name = "" if user == b"default" else user.decode("utf-8", "replace")
    found = listener.secrets.name_of([password], name)
    if not found:
        raise Refused(_WRONG_PASSWORD)
    session.user = found
    session.is_known = True


def _hello(run: Run, words: Sequence[bytes]) -> bytes:
    session = run.session
    proto = session.proto
    if len(words) > 1:
        if _INTEGER.fullmatch(words[1]) is None or not -(2**63) <= int(words[1]) < 2**63:
            raise Refused("Protocol version is not an integer or out of range")
        proto = int(words[1])
        if proto not in (2, 3):
            raise Refused("-NOPROTO unsupported protocol version")
    at = 2
    name: bytes | None = None
    while at < len(words):
        option, left = words[at].upper(), len(words) - 1 - at
        if option == b"AUTH" and left >= 2:
            _authenticate(run, words[at + 1], words[at + 2])
            at += 3
        elif option == b"SETNAME" and left:
            name = words[at + 1]
            if _VISIBLE.fullmatch(name) is None:
                raise Refused(_BAD_NAME)
            at += 2
        else:
            raise Refused(b"Syntax error in HELLO option '%b'" % words[at].partition(b"\0")[0])
    if not session.is_known:
        raise Refused(_STRANGER_HELLO)
    if name is not None:
        session.name = name
    session.proto = proto
    pairs = [
        (text("server"), text("redis")),
        (text("version"), text(VERSION)),
        (text("proto"), b":%d\r\n" % proto),
        (text("id"), b":%d\r\n" % session.id),
        (text("mode"), text("standalone")),
        (text("role"), text("master")),
        (text("modules"), array([])),
    ]
    return mapping(pairs, proto)


def _client_id(run: Run, words: Sequence[bytes]) -> bytes:
    return b":%d\r\n" % run.session.id


def _client_getname(run: Run, words: Sequence[bytes]) -> bytes:
    return bulk(run.session.name) if run.session.name else nil(run.proto)


def _client_setname(run: Run, words: Sequence[bytes]) -> bytes:
    if _VISIBLE.fullmatch(words[2]) is None:
        raise Refused(_BAD_NAME)
    run.session.name = words[2]
    return OK


def _client_setinfo(run: Run, words: Sequence[bytes]) -> bytes:
    what = words[2].lower()
    if what not in (b"lib-name", b"lib-ver"):
        raise Refused(b"Unrecognized option '%b'" % words[2].partition(b"\0")[0])
    if _VISIBLE.fullmatch(words[3]) is None:
        raise Refused(b"%b cannot contain spaces, newlines or special characters." % what)
    if what == b"lib-name":
        run.session.lib_name = words[3]
    else:
        run.session.lib_version = words[3]
    return OK


def _client_info(run: Run, words: Sequence[bytes]) -> bytes:
    return verbatim(_line_of(run.session) + b"\n", run.proto)


def _client_list(run: Run, words: Sequence[bytes]) -> bytes:
    """Of the connection that asks alone: who else is there is nobody's business."""
    return _client_info(run, words)


def _line_of(session: Session) -> bytes:
    return (
        b"id=%d addr=%b laddr= fd=-1 name=%b db=%d sub=0 psub=0 ssub=0 multi=%d resp=%d user=%b lib-name=%b lib-ver=%b"
        % (
            session.id,
            session.peer.address.encode(),
            session.name,
            session.db,
            -1 if session.queued is None else len(session.queued),
            session.proto,
            session.user.encode(),
            session.lib_name,
            session.lib_version,
        )
    )


def _client_reply(run: Run, words: Sequence[bytes]) -> bytes:
    try:
        mode = ReplyMode(words[2].lower().decode("latin-1"))
    except ValueError:
        raise Refused("syntax error") from None
    if mode is ReplyMode.SKIP and run.session.reply_mode is ReplyMode.OFF:
        # It stays off.
        return b""
    run.session.reply_mode = mode
    return OK if mode is ReplyMode.ON else b""


def _client_flag(run: Run, words: Sequence[bytes]) -> bytes:
    """`NO-EVICT` and `NO-TOUCH`: nothing here is evicted, or kept by when it was touched."""
    if words[2].lower() not in (b"on", b"off"):
        raise Refused("syntax error")
    return OK


def _client_capa(run: Run, words: Sequence[bytes]) -> bytes:
    """Unknown capabilities are passed over (valkey-io/valkey src/networking.c)."""
    if _CAPABILITY in [each.lower() for each in words[2:]]:
        run.session.wants_more = True
    return OK


def _client_tracking(run: Run, words: Sequence[bytes]) -> bytes:
    if words[2].lower() == b"off":
        return OK
    if words[2].lower() != b"on":
        raise Refused("syntax error")
    raise Refused("CLIENT TRACKING is not supported: nothing here tells when a value changes")


def _client_getredir(run: Run, words: Sequence[bytes]) -> bytes:
    return b":-1\r\n"


def _client_kill(run: Run, words: Sequence[bytes]) -> bytes:
    raise Refused("CLIENT KILL is not supported: callers do not end the connections of others")


_CLIENT: Final = {
    command.name.partition("|")[2].encode(): command
    for command in (
        Command("client|id", 2, _client_id, "The number of this connection."),
        Command("client|getname", 2, _client_getname, "The name of this connection."),
        Command("client|setname", 3, _client_setname, "Names this connection; calls have that name as consumer."),
        Command("client|setinfo", 4, _client_setinfo, "Says which library calls."),
        Command("client|info", 2, _client_info, "What is known of this connection."),
        Command("client|list", -2, _client_list, "What is known of this connection."),
        Command("client|reply", 3, _client_reply, "Which answers are wanted: ON, OFF, SKIP.", flags=(NO_MULTI,)),
        Command("client|no-evict", 3, _client_flag, "Does nothing."),
        Command("client|no-touch", 3, _client_flag, "Does nothing."),
        Command("client|capa", -3, _client_capa, "Says what the client understands."),
        Command("client|tracking", -3, _client_tracking, "Is not supported."),
        Command("client|getredir", 2, _client_getredir, "Says that nothing is tracked."),
        Command("client|kill", -3, _client_kill, "Is not supported."),
    )
}

CONNECTION_COMMANDS: Final = (
    Command("ping", -1, _ping, "Says that the listener is there.", flags=("fast",)),
    Command("echo", 2, _echo, "Gives back its argument.", flags=("fast",)),
    Command("quit", -1, _quit, "Closes the connection.", is_open=True, at_once=True, flags=("fast",)),
    Command("reset", 1, _reset, "Begins the connection anew.", is_open=True, at_once=True, flags=("fast",)),
    Command("select", 2, _select, "Chooses a database; all are the same.", flags=("fast",)),
    Command("auth", -2, _auth, "Shows a credential.", is_open=True, flags=("fast",)),
    Command("hello", -1, _hello, "Chooses the version of RESP.", is_open=True, flags=("fast",)),
    Command("client", -2, summary="About this connection.", parts=_CLIENT),
)
