"""Commands about the listener: `COMMAND`, `INFO`, `CONFIG GET`, `TIME`; and those that say why they are not there.

Sources: redis/redis src/server.c; https://redis.io/docs/latest/commands/command-docs/.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from gateway.model.contract import MISSING
from protocols.redis.command import NO_MULTI, Command, Refused, Run
from protocols.redis.connection import VERSION
from protocols.redis.glob import Glob
from protocols.redis.resp import array, bulk, header, mapping, nil, text, verbatim

__all__ = ["INTROSPECTION_COMMANDS"]

_SINCE: Final = "1.0.0"
_MAX_WORDS: Final = 256
"""Names or patterns in one command, each of which may be answered by much."""


def _few(words: Sequence[bytes]) -> Sequence[bytes]:
    """What stands behind a command of two words. Raises `Refused` where that is too many."""
    if len(words) > _MAX_WORDS + 2:
        raise Refused(f"more than {_MAX_WORDS} names or patterns")
    return words[2:]


def _command(run: Run, words: Sequence[bytes]) -> bytes:
    return array([_info_of(run, each) for each in run.listener.commands.values()])


def _count(run: Run, words: Sequence[bytes]) -> bytes:
    return b":%d\r\n" % (len(run.listener.commands) + len(run.listener.usual))


def _info(run: Run, words: Sequence[bytes]) -> bytes:
    if len(words) == 2:
        return _command(run, words)
    found = []
    for word in _few(words):
        command = _named(run, word)
        found.append(_info_of(run, command) if command is not None else nil(run.proto))
    return array(found)


def _named(run: Run, word: bytes) -> Command | None:
    name, _, part = word.lower().partition(b"|")
    command = run.listener.commands.get(name)
    if command is not None and part:
        return command.parts.get(part)
    return command or run.listener.method_command(word)


def _info_of(run: Run, command: Command) -> bytes:
    flags = [b"+%b\r\n" % each.encode() for each in command.flags]
    first, last, step = command.keys
    return array(
        [
            text(command.name),
            b":%d\r\n" % command.arity,
            header(b"~" if run.proto == 3 else b"*", len(flags)) + b"".join(flags),
            b":%d\r\n" % first,
            b":%d\r\n" % last,
            b":%d\r\n" % step,
            array([]),
            array([]),
            array([]),
            array([_info_of(run, each) for each in command.parts.values()]),
        ]
    )


def _docs(run: Run, words: Sequence[bytes]) -> bytes:
    listener, proto = run.listener, run.proto
    names: Iterable[bytes] = _few(words) or (*listener.commands, *listener.usual)
    pairs = []
    for name in dict.fromkeys(names):
        command = _named(run, name)
        if command is not None:
            pairs.append((text(command.name), _doc_of(run, command, name)))
    return mapping(pairs, proto)


def _doc_of(run: Run, command: Command, name: bytes) -> bytes:
    proto = run.proto
    pairs = [
        (text("summary"), text(command.summary)),
        (text("since"), text(_SINCE)),
        (text("group"), text(command.group)),
    ]
    target = run.listener.usual.get(name)
    if target is not None and target.signature.params:
        arguments = []
        for param in target.signature.params:
            facts = [(text("name"), text(param.name)), (text("type"), text("string"))]
            facts.append((text("display_text"), text(f"{param.name}:{param.type}")))
            if param.default is not MISSING or param.type.nullable:
                facts.append((text("flags"), array([b"+optional\r\n"])))
            arguments.append(mapping(facts, proto))
        pairs.append((text("arguments"), array(arguments)))
    if command.parts:
        parts = [(text(each.name), _doc_of(run, each, each.name.encode())) for each in command.parts.values()]
        pairs.append((text("subcommands"), mapping(parts, proto)))
    return mapping(pairs, proto)


def _list(run: Run, words: Sequence[bytes]) -> bytes:
    names = [*run.listener.commands, *run.listener.usual]
    if len(words) > 2:
        if len(words) != 5 or words[2].upper() != b"FILTERBY":
            raise Refused("syntax error")
        kind = words[3].upper()
        if kind == b"PATTERN":
            glob = Glob(words[4].lower())
            names = [each for each in names if glob.matches(each.lower())]
        elif kind in (b"MODULE", b"ACLCAT"):
            names = []
        else:
            raise Refused("syntax error")
    return array([bulk(each) for each in names])


def _getkeys(run: Run, words: Sequence[bytes]) -> bytes:
    command = _named(run, words[2])
    if command is None:
        raise Refused("Invalid command specified")
    if not command.keys[0]:
        raise Refused("The command has no key arguments")
    if not command.fits(len(words) - 2):
        raise Refused("Invalid number of arguments specified for command")
    first, last, step = command.keys
    given = words[2:]
    return array([bulk(each) for each in given[first : len(given) + last + 1 if last < 0 else last + 1 : step]])


def _server_info(run: Run, words: Sequence[bytes]) -> bytes:
    wanted = {each.lower() for each in words[1:]} or {b"default"}
    everything = not wanted.isdisjoint({b"default", b"all", b"everything"})
    shown = [
        b"# %b\r\n%b" % (name.encode(), "".join(f"{key}:{value}\r\n" for key, value in lines).encode())
        for name, lines in _SECTIONS
        if everything or name.lower().encode() in wanted
    ]
    return verbatim(b"\r\n".join(shown), run.proto)


_SECTIONS: Final = (
    (
        "Server",
        (
            ("redis_version", VERSION),
            ("redis_mode", "standalone"),
            ("server_name", "polyport"),
            ("multiplexing_api", "asyncio"),
        ),
    ),
    ("Clients", (("maxclients", 10000), ("cluster_connections", 0))),
    ("Persistence", (("loading", 0), ("rdb_bgsave_in_progress", 0), ("aof_enabled", 0))),
    ("Replication", (("role", "master"), ("connected_slaves", 0), ("master_repl_offset", 0))),
    ("Cluster", (("cluster_enabled", 0),)),
    ("Keyspace", ()),
)
_CONFIG: Final = {
    "save": "",
    "appendonly": "no",
    "maxmemory": "0",
    "maxmemory-policy": "noeviction",
    "databases": "16",
    "timeout": "0",
}
"""What clients ask for when they connect, or before a benchmark."""


def _config_get(run: Run, words: Sequence[bytes]) -> bytes:
    globs = [Glob(each.lower()) for each in _few(words)]
    found = [
        (text(key), text(value)) for key, value in _CONFIG.items() if any(glob.matches(key.encode()) for glob in globs)
    ]
    return mapping(found, run.proto)


def _time(run: Run, words: Sequence[bytes]) -> bytes:
    microseconds = int(run.listener.clock() * 1_000_000)
    seconds, rest = divmod(microseconds, 1_000_000)
    return array([bulk(b"%d" % seconds), bulk(b"%d" % rest)])


def _no_events(run: Run, words: Sequence[bytes]) -> bytes:
    raise Refused(f"{words[0].decode('latin-1').upper()} is not supported: the services here publish no events")


_ALONE: Final = (NO_MULTI,)
"""A batch runs without a pause what makes no calls, and these take some time."""
_COMMAND: Final = {
    command.name.partition("|")[2].encode(): command
    for command in (
        Command("command|count", 2, _count, "How many commands there are.", flags=_ALONE),
        Command("command|docs", -2, _docs, "What commands do, those of services by their contract.", flags=_ALONE),
        Command("command|info", -2, _info, "How commands are called.", flags=_ALONE),
        Command("command|list", -2, _list, "The names of all commands.", flags=_ALONE),
        Command("command|getkeys", -4, _getkeys, "The keys in a command.", flags=_ALONE),
    )
}
_CONFIG_PARTS: Final = {
    b"get": Command("config|get", -3, _config_get, "What clients want to know before they begin.", flags=_ALONE)
}

INTROSPECTION_COMMANDS: Final = (
    Command("command", -1, _command, "How commands are called.", "server", _ALONE, parts=_COMMAND),
    Command("info", -1, _server_info, "What clients want to know of a server.", "server"),
    Command("config", -2, summary="What clients want to know before they begin.", group="server", parts=_CONFIG_PARTS),
    Command("time", 1, _time, "The time of the listener.", "server", ("fast",)),
    *(
        Command(name, arity, _no_events, "Is not supported.", "pubsub")
        for name, arity in (
            ("subscribe", -2),
            ("unsubscribe", -1),
            ("psubscribe", -2),
            ("punsubscribe", -1),
            ("ssubscribe", -2),
            ("sunsubscribe", -1),
            ("publish", 3),
            ("spublish", 3),
        )
    ),
)
