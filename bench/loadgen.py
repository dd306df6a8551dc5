"""Runs the load generator (`loadgen.c`) and reads what it measured."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.cases import Payload
from bench.frames import ID_OFFSET
from bench.process import Server, pinned
from bench.request import Request
from bench.thrift_frames import SEQID_OFFSET

_GRACE_S = 60.0
"""Beyond its own limits, which include a drain, the load generator is given up."""


class LoadFailed(Exception):
    """The load generator broke off: a connection was closed, or a reply could not be read."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one run measured. Error counts cover warm-up and drain too, everything else the measurement alone.

    Attributes:
        rps: Good replies a second.
        n: Good replies: those that are no error.
        p50_us: Median latency; `p99_us`, `p999_us`, `max_us` likewise.
        error_status: Replies with another status than OK; `first_status` is the first of these, else 0.
        first_error: How the first reply begins that is an error or carries an exception, as far as that is text.
        faults: Replies that carry an exception.
        stray: Replies to nothing that was asked, or asked only once and answered twice.
        lost: Requests never answered.
        client_cpu_s: CPU time of the load generator. Near `elapsed_s` it was the limit.
        server_cpu_s: CPU time of the server, all its threads.
    """

    rps: float
    n: int
    elapsed_s: float
    p50_us: float
    p99_us: float
    p999_us: float
    max_us: float
    error_status: int
    first_status: int
    first_error: str
    faults: int
    stray: int
    lost: int
    client_cpu_s: float
    server_cpu_s: float

    @property
    def server_us(self) -> float:
        """CPU microseconds of the server for each request."""
        return self.server_cpu_s / self.n * 1e6 if self.n else float("nan")

    @property
    def errors(self) -> int:
        return self.error_status + self.faults + self.stray + self.lost

    @property
    def client_share(self) -> float:
        """Part of the time in which the load generator kept its core busy."""
        return self.client_cpu_s / self.elapsed_s


@dataclass(frozen=True, slots=True)
class LoadGenerator:
    """Where the load generator is and on which core it runs."""

    program: Path
    core: int
    folder: Path
    """For the request files."""

    def run(
        self,
        server: Server,
        request: Request,
        *,
        connections: int,
        outstanding: int,
        warmup_s: float,
        seconds: float,
        rate: float | None = None,
    ) -> Measurement:
        """Drives `server` and measures it.

        Slow cases go on beyond `seconds`, up to four times as long, until every connection had two turns: with
        fewer, what is counted depends on where the window happened to open.

        Raises:
            LoadFailed: the run broke off.
        """
        file = self.folder / f"{request.payload.name}-{len(request.frame)}.request"
        file.write_bytes(request.frame)
        options: list[object] = ["--host", server.host, "--port", server.port, "--request", file]
        options += ["--frames", _frames(request.payload), "--id-offset", _id_offset(request.payload)]
        options += ["--connections", connections, "--outstanding", outstanding]
        options += ["--warmup", warmup_s, "--seconds", seconds]
        if rate is None:
            options += ["--at-least", 2 * connections * outstanding, "--at-most", 4 * seconds]
        else:
            options += ["--rate", rate]
        if request.reply:
            expected = file.with_suffix(".reply")
            expected.write_bytes(request.reply)
            options += ["--reply", expected]
        for pid in server.pids:
            options += ["--server", pid]
        with pinned(self.core):
            text = _run([str(self.program), *map(str, options)], warmup_s + 4 * seconds + _GRACE_S)
        return Measurement(**json.loads(text))


def _frames(payload: Payload) -> str:
    if payload.is_http:
        return "http"
    if payload.is_text:
        return "exact"
    if payload is Payload.THRIFT:
        return "thrift"
    return "raw" if payload is Payload.BYTES else "dubbo"


def _id_offset(payload: Payload) -> int:
    return SEQID_OFFSET if payload is Payload.THRIFT else ID_OFFSET


def _run(command: Sequence[str], timeout_s: float) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise LoadFailed(f"no result after {timeout_s:.0f} s") from error
    if done.returncode:
        raise LoadFailed(done.stderr.strip() or f"exit status {done.returncode}")
    return done.stdout
