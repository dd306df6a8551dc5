"""What registries named last, in a file: for a start at which none of them can be asked.

The file is written whole and then renamed, so that a reader finds the old content or the new one, and is readable for
its owner alone, because providers' tokens are in it. Several processes of one application may read it; the first one
writes.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.telemetry.logs import shorten

__all__ = ["LastKnown", "last_known_file"]

_LOG: Final = logging.getLogger("polyport.registry")
_VERSION: Final = 1
_SAVE_AFTER_S: Final = 0.5
"""Changes that come together are written together."""
_MAX_BYTES: Final = 256 << 20
_MODE: Final = 0o600

_OFF: Final = "off"

_Known = dict[str, dict[str, list[str]]]
"""URLs of providers by registry and service."""


def last_known_file(written: str, application: str, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where the file of an application is: as written, else in the folder for such files (XDG Base Directory
    Specification 0.8); None for `off`, or where there is no home."""
    if written == _OFF:
        return None
    if written:
        return Path(written)
    try:
        folder = Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    except RuntimeError:
        return None
    return folder / "polyport" / f"{quote(application, safe='')}.last-known.json"


class LastKnown:
    """A `gateway.spi.memory.Memory` in a file. Belongs to one event loop. Life: construct, `start`, `aclose`.

    `application`: whose file it is; another one's is not read. `wall`: seconds since 1970.
    """

    def __init__(
        self,
        file: Path,
        application: str,
        *,
        save_after_s: float = _SAVE_AFTER_S,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._file = file
        self._application = application
        self._save_after_s = save_after_s
        self._wall = wall
        self._known: _Known = {}
        self._lock: int | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._saving: asyncio.Task[None] | None = None
        self._dirty = False
        self._failed = False

    async def start(self) -> None:
        """Reads the file, and takes the right to write it where nobody else has it. Raises nothing."""
        self._known = await asyncio.to_thread(self._read)
        self._lock = await asyncio.to_thread(self._take_lock)

    def recall(self, registry: str, service: ServiceKey) -> Sequence[Endpoint]:
        """See `Memory.recall`."""
        found = []
        for url in self._known.get(registry, {}).get(str(service), ()):
            with contextlib.suppress(ValueError):
                found.append(Endpoint.parse(url))
        return found

    def remember(self, registry: str, service: ServiceKey, endpoints: Sequence[Endpoint]) -> None:
        """See `Memory.remember`."""
        services = self._known.setdefault(registry, {})
        urls = [each.url for each in endpoints]
        if services.get(str(service)) == urls:
            return
        services[str(service)] = urls
        self._dirty = True
        if self._lock is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._save_after_s, self._begin_saving)

    async def aclose(self) -> None:
        """Writes what has not been written, and gives the right to write back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._saving is not None:
            await asyncio.wait([self._saving])
        lock, self._lock = self._lock, None
        if lock is None:
            return
        try:
            if self._dirty:
                await self._save()
        finally:
            os.close(lock)

    def _begin_saving(self) -> None:
        self._timer = None
        if self._saving is not None and not self._saving.done():
            self._timer = asyncio.get_running_loop().call_later(self._save_after_s, self._begin_saving)
            return
        self._saving = asyncio.create_task(self._save(), name=f"write {self._file.name}")

    async def _save(self) -> None:
        self._dirty = False
        # Copied here: the loop goes on changing it.
        known = {registry: dict(services) for registry, services in self._known.items()}
        try:
            await asyncio.to_thread(self._write, known)
        except OSError as exc:
            self._dirty = True
            if not self._failed:
                self._failed = True
                _LOG.warning("cannot write %s, going on without: %s", self._file, exc.strerror or exc)
        else:
            self._failed = False

    def _write(self, known: _Known) -> None:
        content = {
            "version": _VERSION,
            "application": self._application,
            "written_ms": int(self._wall() * 1000),
            "registries": known,
        }
        descriptor, name = tempfile.mkstemp(prefix=f".{self._file.name}.", dir=self._file.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as out:
                os.fchmod(out.fileno(), _MODE)
                json.dump(content, out, ensure_ascii=False, indent=1)
                out.flush()
                os.fsync(out.fileno())
            os.replace(name, self._file)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise

    def _read(self) -> _Known:
        try:
            if self._file.stat().st_size > _MAX_BYTES:
                raise ValueError(f"it has more than {_MAX_BYTES} bytes")
            return _checked(json.loads(self._file.read_text(encoding="utf-8")), self._application)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as exc:
            _LOG.warning("cannot read %s, starting without what was known last: %s", self._file, shorten(str(exc)))
            return {}

    def _take_lock(self) -> int | None:
        """The open lock file; None when another process has it, or it cannot be made."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(
                self._file.with_name(self._file.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE
            )
        except OSError as exc:
            _LOG.warning("cannot write %s, going on without: %s", self._file, exc.strerror or exc)
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            _LOG.info("another process of %s keeps %s up to date", self._application, self._file)
            return None
        return lock


def _checked(content: Any, application: str) -> _Known:
    if not isinstance(content, dict) or content.get("version") != _VERSION:
        raise ValueError(f"it is not of version {_VERSION}")
    if content.get("application") != application:
        raise ValueError("it belongs to another application")
    found: _Known = {}
    registries = content.get("registries")
    for registry, services in registries.items() if isinstance(registries, dict) else ():
        for service, urls in services.items() if isinstance(services, dict) else ():
            if isinstance(urls, list):
                found.setdefault(registry, {})[service] = [each for each in urls if isinstance(each, str)]
    return found
