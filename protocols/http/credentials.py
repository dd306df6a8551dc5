"""Who may call: a binding around a binding that lets nobody in without a secret it knows; and how callers show one.

| field | what is compared with the secrets |
| --- | --- |
| `X-API-Key: <secret>` | the value |
| `Authorization: ApiKey <secret>` | what follows the scheme |
| `Authorization: Bearer <token>` | the token (RFC 6750, section 2.1) |
| `Authorization: Basic <base64>` | the decoded `user:password` (RFC 7617), which is how such a secret is written |

Any secret may be shown in any of these ways, and one that fits is enough. A caller that gives no name of its own
(`protocols.http.context`) is called by the name of the credential it showed; one that does keeps it, because one
credential often serves several applications.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import Final

from gateway.model.errors import BadRequest, Unauthenticated
from protocols.http.binding import HttpBinding, HttpExchange
from protocols.http.context import name_caller
from protocols.http.message import Headers, HttpRequest, HttpResponse

__all__ = ["CredentialBinding", "Secrets", "credential_fields"]

_REALM: Final = 'realm="polyport"'
_SENDABLE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
"""What arrives as it was sent whatever is in between: visible ASCII, and blanks inside."""


class Secrets:
    """The secrets of a listener, by the name of their credential; compared without telling by time how near one was."""

    __slots__ = ("_digests", "has_passwords")

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._digests: Final = tuple((name, _digest(secret.encode())) for name, secret in secrets.items())
        self.has_passwords: Final = any(":" in secret for secret in secrets.values())

    def name_of(self, shown: Iterable[bytes], only: str = "") -> str:
        """The name of the credential whose secret is among what was shown; empty for none. `only`: of this name."""
        digests = [_digest(each) for each in shown]
        found = ""
        # Every comparison is made, so that the time it takes tells nothing.
        for name, digest in self._digests:
            for each in digests:
                if hmac.compare_digest(digest, each) and (not only or name == only):
                    found = name
        return found

    def name_in(self, headers: Headers) -> str:
        """The same of what header fields show."""
        return self.name_of(_shown(headers))

    def challenge(self) -> tuple[tuple[str, str], ...]:
        """The fields of a 401 that say how a secret is shown."""
        # A Basic challenge makes browsers ask the user, which is of use only where an answer can fit.
        basic = (("WWW-Authenticate", f'Basic {_REALM}, charset="UTF-8"'),) if self.has_passwords else ()
        return (("WWW-Authenticate", f"Bearer {_REALM}"), *basic)


class CredentialBinding:
    """Answers 401 in the form of `inner` to whoever shows no known secret; everybody else reaches `inner`.

    `secrets`: name of a credential to secret. `open_paths`: what anybody may GET (documents): exact paths, and
    everything below those that end with a slash.
    What a request shows is checked once per `Headers` object.
    """

    def __init__(self, inner: HttpBinding, secrets: Mapping[str, str], open_paths: Collection[str] = ()) -> None:
        self._inner = inner
        self._secrets = Secrets(secrets)
        self._open = frozenset(open_paths)
        self._open_below = tuple(each for each in open_paths if each.endswith("/"))
        self._memo = f"polyport-credential-{id(self)}"
        self._challenge = self._secrets.challenge()

    def decode_call(self, request: HttpRequest, now: float) -> HttpExchange | HttpResponse:
        """See `HttpBinding.decode_call`."""
        headers = request.headers
        known: bool | None = headers.memo.get(self._memo)
        if known is None:
            known = headers.memo[self._memo] = self._check(headers)
        if known or (request.method == "GET" and self._is_open(request.path)):
            return self._inner.decode_call(request, now)
        given = "x-api-key" in headers or "authorization" in headers
        reason = "the credentials are not known here" if given else "this needs credentials"
        refusal = self._inner.encode_refusal(401, reason)
        return HttpResponse(401, refusal.headers + self._challenge, refusal.body, Unauthenticated(reason))

    def encode_refusal(self, status: int, reason: str) -> HttpResponse:
        """See `HttpBinding.encode_refusal`."""
        return self._inner.encode_refusal(status, reason)

    def _is_open(self, path: str) -> bool:
        # Nothing here resolves dots or escapes, but something behind a prefix might.
        return path in self._open or (path.startswith(self._open_below) and ".." not in path and "%" not in path)

    def _check(self, headers: Headers) -> bool:
        found = self._secrets.name_in(headers)
        if found:
            # Malformed fields are for the inner binding to refuse.
            with suppress(BadRequest):
                name_caller(headers, found)
        return bool(found)


def credential_fields(api_key: str = "", bearer: str = "", basic: str = "") -> tuple[tuple[str, str], ...]:
    """The header fields by which a caller shows its secrets; empty ones are not shown. `basic`: `user:password`.

    Raises:
        ValueError: one has no form in a header field, or there is both a bearer token and a password; no secret is
            part of the text.
    """
    if bearer and basic:
        raise ValueError("a bearer token and a password cannot be shown at the same time")
    fields: list[tuple[str, str]] = []
    for what, name, secret, value in (
        ("the API key", "X-API-Key", api_key, api_key),
        ("the token", "Authorization", bearer, f"Bearer {bearer}"),
        ("user and password", "Authorization", basic, f"Basic {b64encode(basic.encode()).decode()}"),
    ):
        if secret and what != "user and password" and _SENDABLE.fullmatch(secret) is None:
            raise ValueError(f"{what} has characters that a header field cannot carry")
        if secret and what == "user and password" and ":" not in secret:
            raise ValueError("user and password are written user:password")
        if secret:
            fields.append((name, value))
    return tuple(fields)


def _shown(headers: Headers) -> list[bytes]:
    shown = [headers.get("x-api-key").encode("latin-1", "replace")]
    scheme, _, value = headers.get("authorization").partition(" ")
    credentials = value.strip(" ").encode("latin-1", "replace")
    match scheme.lower():
        case "apikey" | "bearer":
            shown.append(credentials)
        case "basic":
            with suppress(binascii.Error):
                shown.append(b64decode(credentials, validate=True))
    return [each for each in shown if each]


def _digest(secret: bytes) -> bytes:
    # Of one length, so that a comparison does not even tell how long the secret is.
    return hashlib.sha256(secret).digest()
