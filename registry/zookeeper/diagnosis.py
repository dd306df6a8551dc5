"""What is wrong with a registry in ZooKeeper, looked at from this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

from gateway.model.endpoint import Endpoint, format_address
from gateway.model.errors import RegistryError
from gateway.spi.registry_ability import Finding
from gateway.telemetry.logs import shorten
from registry.entries import CATEGORIES, PROVIDERS, read_providers
from registry.slice import Slice
from registry.zookeeper.application_listing import bounded, read_applications
from registry.zookeeper.layout import Ensemble, parent_of
from registry.zookeeper.metadata_source import MetadataSource
from registry.zookeeper.session import Session
from registry.zookeeper.watch import read_names

__all__ = ["Diagnosis"]

_AT_ONCE: Final = 64
_MOST_NODES: Final = 5_000
_MOST_ADDRESSES: Final = 500
_PROBE_S: Final = 1.0
_WHOLE_S: Final = 30.0
_SKEW_S: Final = 5.0
"""More than this between two clocks makes times in registries and logs misleading."""
_SHOWN: Final = 5
_T = TypeVar("_T")


class Diagnosis:
    """One look at everything. `wall`: seconds since 1970."""

    def __init__(
        self,
        session: Session,
        ensemble: Ensemble,
        root: str,
        timeout_s: float,
        source: MetadataSource | None = None,
        *,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._session = session
        self._ensemble = ensemble
        self._root = root
        self._timeout_s = timeout_s
        self._source = source
        self._wall = wall
        self._findings: list[Finding] = []

    async def run(self) -> Sequence[Finding]:
        """All findings, in the order they were looked at; raises nothing."""
        try:
            async with asyncio.timeout(_WHOLE_S):
                await asyncio.gather(*(self._server(*each) for each in self._ensemble.servers))
                if self._has_session():
                    await self._layout()
                    await self._permission()
                    await self._providers()
                    if self._source is not None:
                        await self._applications(self._source)
        except RegistryError as exc:
            self._bad("answers", str(exc), "see the finding before; the connection may have been lost meanwhile")
        except TimeoutError:
            self._bad(
                "answers", f"not everything could be looked at within {_WHOLE_S:g} s", "try again when it is idle"
            )
        return self._findings

    def _good(self, what: str, detail: str) -> None:
        self._findings.append(Finding(what, True, detail))

    def _bad(self, what: str, detail: str, advice: str) -> None:
        self._findings.append(Finding(what, False, detail, advice))

    async def _server(self, host: str, port: int) -> None:
        what = f"server {format_address(host, port)}"
        try:
            async with asyncio.timeout(self._timeout_s):
                reader, writer = await asyncio.open_connection(host, port)
                try:
                    writer.write(b"ruok")
                    said = (await reader.read(200)).decode("ascii", "replace").strip()
                finally:
                    writer.close()
        except TimeoutError:
            self._bad(what, "no answer in time", "see whether it is stuck, or a firewall drops what is sent to it")
        except OSError as exc:
            self._bad(what, exc.strerror or str(exc), "start it, or correct the option address")
        else:
            # Where the four letters are not permitted, it says so or hangs up; a server it is all the same.
            self._good(what, "is well, it says" if said == "imok" else "can be reached; it does not say how it is")

    def _has_session(self) -> bool:
        if not self._session.is_connected:
            self._bad(
                "session", "there is none", "servers that run but have no majority of the ensemble refuse sessions"
            )
            return False
        self._good("session", f"0x{self._session.session_id & 0xFFFF_FFFF_FFFF_FFFF:x}")
        return True

    async def _layout(self) -> None:
        services = await self._session.children(self._root)
        if services is None:
            advice = (
                "nobody has announced anything yet, or the options group or address (/chroot) are not those of others"
            )
            self._bad("root", f"{self._root} does not exist", advice)
            return
        folders = await bounded(
            [partial(self._session.children, f"{self._root}/{each}") for each in services[:_MOST_NODES]]
        )
        fitting = sum(1 for each in folders if each and not set(CATEGORIES).isdisjoint(each))
        mapped = await self._session.children(self._source.paths.mappings) if self._source is not None else ()
        if services and not fitting and not mapped:
            self._bad(
                "root", f"{self._root} holds no services in Dubbo's layout", "see whether the option group is right"
            )
        else:
            by_application = f", {len(mapped)} are mapped to applications" if mapped else ""
            self._good("root", f"{self._root} holds {fitting} services{by_application}")

    async def _permission(self) -> None:
        folder = self._root
        while folder != "/" and await self._session.stat(folder) is None:
            folder = parent_of(folder)
        probe = f"{'' if folder == '/' else folder}/polyport-probe-{self._session.session_id & 0xFFFF_FFFF:x}"
        before = self._wall()
        try:
            await self._session.create(probe, ephemeral=True)
            stat = await self._session.stat(probe)
        except RegistryError as exc:
            self._bad("permission", str(exc), "set the option credential to one that may write there")
            return
        finally:
            with suppress(RegistryError):
                await self._session.delete(probe)
        self._good("permission", f"this process may write below {folder}")
        if stat is not None:
            self._clock(stat.modified - (before + self._wall()) / 2)

    def _clock(self, ahead_s: float) -> None:
        detail = f"the servers' clock is {abs(ahead_s):.1f} s {'ahead of' if ahead_s > 0 else 'behind'} ours"
        if abs(ahead_s) > _SKEW_S:
            self._bad("clock", detail, "let both follow the same time servers")
        else:
            self._good("clock", detail)

    async def _providers(self) -> None:
        services = sorted(await self._session.children(self._root) or ())
        folders = [f"{self._root}/{each}/{PROVIDERS}" for each in services]
        found = await bounded([partial(self._session.children, each) for each in folders])
        nodes = [
            (f"{folder}/{name}", name) for folder, names in zip(folders, found, strict=True) for name in names or ()
        ]
        providers: list[tuple[str, Endpoint]] = []
        skipped = 0
        piece = Slice()
        for path, name in nodes[:_MOST_NODES]:
            endpoints, unread = read_names([name], partial(read_providers, service=None))
            providers += [(path, each) for each in endpoints]
            skipped += len(unread)
            await piece.breathe()
        if skipped:
            self._bad(
                "entries", f"{skipped} among providers cannot be used", "the log says which, where they are watched"
            )
        await self._left_behind(providers)
        await self._refusing([each for _, each in providers])

    async def _applications(self, source: MetadataSource) -> None:
        endpoints, skipped = await read_applications(self._session, source)
        if skipped:
            advice = "where processes are asked what they provide, see whether they can be reached from here"
            shown = "; ".join(f"{each.entry}: {each.reason}" for each in skipped[:_SHOWN])
            self._bad("applications", f"{len(skipped)} entries cannot be used: {shown}", advice)
        elif endpoints:
            self._good("applications", f"{len(endpoints)} providers are registered by application")

    async def _left_behind(self, providers: Sequence[tuple[str, Endpoint]]) -> None:
        dynamic = [(path, each) for path, each in providers if each.parameters.get("dynamic") != "false"]
        stats = await bounded([partial(self._session.stat, path) for path, _ in dynamic])
        stale = [each for (_, each), stat in zip(dynamic, stats, strict=True) if stat is not None and not stat.owner]
        if stale:
            advice = "delete their nodes: no session owns them, so they stay when the provider is gone"
            self._bad("stale nodes", _listed(stale), advice)
        else:
            self._good("stale nodes", f"none among {len(dynamic)} providers")

    async def _refusing(self, endpoints: Sequence[Endpoint]) -> None:
        by_address = {(each.host, each.port): each for each in endpoints}
        asked = list(by_address)[:_MOST_ADDRESSES]
        troubles = await bounded([partial(_trouble, *each) for each in asked])
        dead = [by_address[address] for address, trouble in zip(asked, troubles, strict=True) if trouble]
        if dead:
            advice = "they are gone and their session has not expired yet, or cannot be reached from here"
            self._bad("providers' ports", _listed(dead), advice)
        else:
            self._good("providers' ports", f"all {len(asked)} take connections")


async def _trouble(host: str, port: int) -> str:
    """Why the port takes no connection; empty when it does."""
    try:
        async with asyncio.timeout(_PROBE_S):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
    except TimeoutError:
        return "no answer"
    except OSError as exc:
        return exc.strerror or str(exc)
    except ValueError as exc:
        # A host that no address can have.
        return str(exc)
    return ""


def _listed(endpoints: Sequence[Endpoint]) -> str:
    shown = ", ".join(shorten(f"{each.protocol}://{each.address}/{each.service}") for each in endpoints[:_SHOWN])
    more = len(endpoints) - _SHOWN
    return f"{len(endpoints)}: {shown}" + (f" and {more} more" if more > 0 else "")
