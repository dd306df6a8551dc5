"""Who may call a listener over HTTP, and which pages may: the two questions asked before any binding is reached."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from protocols.http.binding import HttpBinding
from protocols.http.cors import CorsBinding
from protocols.http.credentials import CredentialBinding

__all__ = ["guarded"]

_NO_SECRETS: Final[Mapping[str, str]] = MappingProxyType({})


def guarded(
    binding: HttpBinding,
    *,
    secrets: Mapping[str, str] = _NO_SECRETS,
    open_paths: Collection[str] = (),
    origins: Collection[str] = (),
    max_age_s: int = 600,
) -> HttpBinding:
    """The binding behind what is asked for; itself when nothing is.

    `secrets`, `open_paths`: as `CredentialBinding`. `origins`, `max_age_s`: as `CorsBinding`.
    """
    if secrets:
        binding = CredentialBinding(binding, secrets, open_paths)
    if origins:
        # Outside of the credentials: a preflight bears none, and a page should be able to read why it was refused.
        binding = CorsBinding(binding, origins, max_age_s)
    return binding
