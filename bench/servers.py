"""The servers that are compared, and how each is started."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.apt import Unavailable, install
from bench.cases import Payload
from bench.native import BuildFailed, build_c, build_java, has_nginx
from bench.process import LOAD_CORE, Server, StartFailed

ECHO = "uvloop echo"
C_PROVIDER = "C provider"
JAVA = "Java Dubbo 3.3"
HOSTED = "polyport"
FORWARDED = "polyport forwarding"
AIOHTTP = "aiohttp"
NGINX = "nginx"
GRANIAN = "granian"
HTTP_HOSTED = "polyport http"
HTTP_BRIDGE = "polyport http to dubbo"
HESSIAN_HOSTED = "polyport hessian"
SPYNE = "spyne"
SOAP_HOSTED = "polyport webservice"
THRIFTPY2_THREADED = "thriftpy2 threaded"
THRIFTPY2_ASYNCIO = "thriftpy2 asyncio"
THRIFT_HOSTED = "polyport thrift"
REDIS_SERVER = "redis-server"
REDIS_HOSTED = "polyport redis"
REDIS_BRIDGE = "polyport redis to dubbo"
MEMCACHED_SERVER = "memcached"
MEMCACHED_HOSTED = "polyport memcached"

PAYLOADS: dict[str, tuple[Payload, ...]] = {
    ECHO: (Payload.BYTES,),
    C_PROVIDER: (Payload.STRING, Payload.POJO),
    JAVA: (Payload.STRING, Payload.POJO),
    HOSTED: (Payload.STRING, Payload.POJO),
    FORWARDED: (Payload.STRING, Payload.POJO),
    AIOHTTP: (Payload.ADD, Payload.JSON),
    NGINX: (Payload.ADD,),
    GRANIAN: (Payload.ADD,),
    HTTP_HOSTED: (Payload.ADD, Payload.JSON),
    HTTP_BRIDGE: (Payload.JSON,),
    HESSIAN_HOSTED: (Payload.HESSIAN, Payload.OLD_HESSIAN),
    SPYNE: (Payload.SOAP,),
    SOAP_HOSTED: (Payload.SOAP,),
    THRIFTPY2_THREADED: (Payload.THRIFT,),
    THRIFTPY2_ASYNCIO: (Payload.THRIFT,),
    THRIFT_HOSTED: (Payload.THRIFT,),
    REDIS_SERVER: (Payload.REDIS_GET,),
    REDIS_HOSTED: (Payload.REDIS_CALL,),
    REDIS_BRIDGE: (Payload.REDIS_CALL,),
    MEMCACHED_SERVER: (Payload.MEMCACHED_GET,),
    MEMCACHED_HOSTED: (Payload.MEMCACHED_GET,),
}
"""Every server and what it is asked; in this order they are measured."""

_RAW_ECHO = (ECHO, Payload.BYTES)
FLOORS: dict[Payload, tuple[str, Payload]] = {
    Payload.BYTES: _RAW_ECHO,
    Payload.STRING: _RAW_ECHO,
    Payload.POJO: _RAW_ECHO,
    Payload.THRIFT: (THRIFTPY2_THREADED, Payload.THRIFT),
    Payload.REDIS_GET: (REDIS_SERVER, Payload.REDIS_GET),
    Payload.REDIS_CALL: (REDIS_SERVER, Payload.REDIS_GET),
    Payload.MEMCACHED_GET: (MEMCACHED_SERVER, Payload.MEMCACHED_GET),
    Payload.ADD: (AIOHTTP, Payload.ADD),
    Payload.JSON: (AIOHTTP, Payload.JSON),
    Payload.HESSIAN: (AIOHTTP, Payload.JSON),
    Payload.OLD_HESSIAN: (AIOHTTP, Payload.JSON),
    Payload.SOAP: (SPYNE, Payload.SOAP),
}
"""What each payload is compared with, server and payload."""

_HERE = Path(__file__).parent
_WITH_BENCH = {"PYTHONPATH": str(_HERE.parent)}
"""Neither the command nor `-m` looks for `bench` where the caller happens to stand."""
_POLYPORT_LISTENING = re.compile(
    rb"(?:dubbo|http|hessian|rmi|thrift|webservice|redis|memcached)://(127\.0\.0\.1):(\d+)"
)


@dataclass(slots=True)
class Lineup:
    """The servers that are up, and why the others are not.

    Attributes:
        behind: The C provider that the forwarding gateway calls, on the core of the load generator.
    """

    behind: Server
    running: dict[str, Server] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def start_lineup(stack: ExitStack, folder: Path, announce: Callable[[str], None]) -> Lineup:
    """Builds and starts every server; `stack` ends them.

    Raises:
        BuildFailed, StartFailed: the C provider cannot be had. Any other server may be missing.
    """
    announce("building the C programs")
    provider = [str(build_c("provider"))]
    behind = stack.enter_context(Server(provider, folder / "behind.log"))
    behind.move(LOAD_CORE)
    lineup = Lineup(behind)

    def start(name: str, server: Callable[[Path], Server]) -> None:
        announce(f"starting {name}")
        try:
            lineup.running[name] = stack.enter_context(server(folder / f"{name.replace(' ', '-')}.log"))
        except (BuildFailed, StartFailed) as error:
            lineup.missing[name] = str(error)

    start(ECHO, lambda log: start_floor(log, "uvloop_echo"))
    start(C_PROVIDER, lambda log: Server(provider, log))
    start(JAVA, _start_java)
    start(HOSTED, start_hosted)
    start(FORWARDED, lambda log: _start_forwarding(log, "forward.yaml", behind))
    start(AIOHTTP, lambda log: start_floor(log, "aiohttp_json"))
    start(NGINX, _start_nginx)
    start(GRANIAN, lambda log: start_floor(log, "granian_add"))
    start(HTTP_HOSTED, lambda log: start_polyport(log, "http.yaml", {}))
    start(HTTP_BRIDGE, lambda log: _start_forwarding(log, "http_to_dubbo.yaml", behind))
    start(HESSIAN_HOSTED, lambda log: start_polyport(log, "hessian.yaml", {}))
    start(SPYNE, lambda log: start_floor(log, "spyne_add"))
    start(SOAP_HOSTED, lambda log: start_polyport(log, "webservice.yaml", {}))
    start(THRIFTPY2_THREADED, lambda log: start_floor(log, "thriftpy2_threaded"))
    start(THRIFTPY2_ASYNCIO, lambda log: start_floor(log, "thriftpy2_asyncio"))
    start(THRIFT_HOSTED, lambda log: start_polyport(log, "thrift.yaml", {}))
    start(REDIS_SERVER, lambda log: _start_store(log, "redis_server", "redis-server:redis-server"))
    start(REDIS_HOSTED, lambda log: start_polyport(log, "redis.yaml", {}))
    start(REDIS_BRIDGE, lambda log: _start_forwarding(log, "redis_to_dubbo.yaml", behind))
    start(MEMCACHED_SERVER, lambda log: _start_store(log, "memcached", "memcached:memcached"))
    start(MEMCACHED_HOSTED, lambda log: start_polyport(log, "memcached.yaml", {}))
    return lineup


def polyport_command() -> str:
    """The installed command, the one beside this interpreter first."""
    beside = Path(sys.executable).with_name("polyport")
    found = str(beside) if beside.exists() else shutil.which("polyport")
    if found is None:
        raise StartFailed("the command polyport is not installed")
    return found


def start_hosted(log: Path) -> Server:
    """The gateway that hosts `bench.Echo` itself."""
    return start_polyport(log, "echo.yaml", {})


def _start_forwarding(log: Path, config: str, behind: Server) -> Server:
    return start_polyport(log, config, {"BENCH_PROVIDER": f"{behind.host}:{behind.port}"})


def _start_store(log: Path, module: str, program: str) -> Server:
    try:
        install(program)
    except Unavailable as error:
        raise StartFailed(str(error)) from error
    return start_floor(log, module)


def _start_nginx(log: Path) -> Server:
    if not has_nginx():
        raise StartFailed("nginx is not installed")
    return start_floor(log, "nginx_fixed")


def start_floor(log: Path, module: str) -> Server:
    """A server of `bench.floors`."""
    return Server([sys.executable, "-m", f"bench.floors.{module}"], log, _WITH_BENCH)


def start_polyport(log: Path, config: str, env: dict[str, str]) -> Server:
    """A gateway with a configuration of `bench/conf`, and variables for it."""
    command = [polyport_command(), "serve", str(_HERE / "conf" / config)]
    return Server(command, log, {**env, **_WITH_BENCH}, _POLYPORT_LISTENING)


def _start_java(log: Path) -> Server:
    if shutil.which("java") is None:
        raise StartFailed("java is not installed")
    return Server(["java", "-cp", build_java(), "bench.Provider"], log)
