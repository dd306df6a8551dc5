"""How connections to one provider over HTTP behave; apart from them, because options are read without connections."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ProviderOptions"]


@dataclass(frozen=True, slots=True)
class ProviderOptions:
    """How connections to a provider behave. Durations in seconds, sizes in bytes.

    `tls`: speak HTTPS. `ca_file`: whose certificates to trust, empty for what the system trusts. `server_name`: whose
    certificate the provider must show, empty for the host it is reached at. `keep_alive_s`: how long a connection may
    wait for its next call. `max_connections`: to this provider; further calls wait for one.
    `max_response_bytes`: of one answer, with and without its content coding. `compress`: send larger bodies as gzip,
    and ask for answers in gzip.
    """

    tls: bool = False
    ca_file: str = ""
    server_name: str = ""
    connect_timeout_s: float = 3.0
    keep_alive_s: float = 4.0
    max_connections: int = 100
    max_response_bytes: int = 8_388_608
    compress: bool = False
