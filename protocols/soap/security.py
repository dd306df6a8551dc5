"""WS-Security's UsernameToken: who a caller says it is, inside of the message.

| password | what is compared |
| --- | --- |
| `#PasswordText`, or no type | `user:password` with the secrets; the password with the secret called like the user |
| `#PasswordDigest` | Base64(SHA-1(nonce + created + password)) with that of the password of each such secret |

A digest is good once, and as long as the moment it was made differs from now by no more than the window: nonces are
remembered until then. A message that is signed or encrypted is not read: what would have to be checked is refused as
not understood, whether it must be understood or not. Where callers need credentials, an expired `Timestamp` is refused.

Sources: OASIS Web Services Security UsernameToken Profile 1.1.1, section 3; SOAP Message Security 1.1.1, section 10.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from gateway.model.errors import Unauthenticated, ValueMappingError
from gateway.model.typeref import Kind
from protocols.http.credentials import Secrets
from protocols.http.message import Headers
from protocols.replay import Admission, ReplayGuard
from protocols.soap.document import Document, Frame, Skip
from protocols.soap.envelope import Refusal
from protocols.soap.names import expanded
from protocols.soap.scalar import PARSERS
from protocols.soap.text import BLANKS

__all__ = ["SECURITY_BLOCK", "SecurityBlock", "TokenCheck"]

_WSS: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_SECURITY: Final = f"{_WSS}wssecurity-secext-1.0.xsd"
_UTILITY: Final = f"{_WSS}wssecurity-utility-1.0.xsd"
_PROFILE: Final = f"{_WSS}username-token-profile-1.0#"
SECURITY_BLOCK: Final = expanded(_SECURITY, "Security")
_TOKEN: Final = expanded(_SECURITY, "UsernameToken")
_TIMESTAMP: Final = expanded(_UTILITY, "Timestamp")
_TEXTS: Final = {
    expanded(_SECURITY, "Username"): "username",
    expanded(_SECURITY, "Password"): "password",
    expanded(_SECURITY, "Nonce"): "nonce",
    expanded(_UTILITY, "Created"): "created",
    expanded(_UTILITY, "Expires"): "expires",
}
_MAX_TEXT: Final = 1_024
_DIGEST: Final = f"{_PROFILE}PasswordDigest"
_KINDS: Final = frozenset({"", f"{_PROFILE}PasswordText", _DIGEST})


class SecurityBlock(Frame):
    """The header block while it is read. `said`: the texts of its token; `expires`: of its timestamp."""

    __slots__ = ("expires", "kind", "said")

    def __init__(self) -> None:
        super().__init__()
        self.said: Final[dict[str, str]] = {}
        self.kind = ""
        self.expires = ""

    def open(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame:
        """See `Frame.open`."""
        if name == _TOKEN and not self.said:
            return _Texts(self, self.said)
        if name == _TIMESTAMP:
            return _Texts(self, {})
        raise Refusal("MustUnderstand", "of WS-Security only one UsernameToken is read", (SECURITY_BLOCK,))


class _Texts(Frame):
    __slots__ = ("block", "found")

    def __init__(self, block: SecurityBlock, found: dict[str, str]) -> None:
        super().__init__()
        self.block: Final = block
        self.found: Final = found

    def open(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame:
        known = _TEXTS.get(name)
        if known is None:
            return Skip()
        if known == "password":
            self.block.kind = attributes.get("Type", "")
        return _Text(known)

    def take(self, slot: Any, value: Any) -> None:
        if slot == "expires":
            self.block.expires = value
        elif slot is not None:
            self.found[slot] = value


class _Text(Frame):
    __slots__ = ()
    holds_text = True

    def close(self, text: str) -> Any:
        if len(text) > _MAX_TEXT:
            raise ValueMappingError(f"a token of more than {_MAX_TEXT} characters")
        return text if self.slot == "password" else text.strip(BLANKS)


class TokenCheck:
    """What the callers of a listener show, compared with its secrets.

    `window_s`: how far the clocks may differ. `wall_ms`: gives the milliseconds since 1970.

    Attributes:
        challenge: The fields of a 401.
    """

    def __init__(
        self, secrets: Mapping[str, str], window_s: float, wall_ms: Callable[[], int], guard: ReplayGuard | None = None
    ) -> None:
        self._known = Secrets(secrets)
        self._secrets = dict(secrets)
        self._window_ms = int(window_s * 1000)
        self._wall_ms = wall_ms
        self._guard = guard or ReplayGuard()
        self._memo = f"soap-credential-{id(self)}"
        self.challenge: Final = self._known.challenge()

    def shown_in(self, headers: Headers) -> str:
        """The name of the credential that header fields of HTTP show; empty for none."""
        name: str | None = headers.memo.get(self._memo)
        if name is None:
            name = headers.memo[self._memo] = self._known.name_in(headers)
        return name

    def name_of(self, block: SecurityBlock) -> str:
        """The name of the credential that a header block shows.

        Raises:
            Unauthenticated: it shows none, or what it shows is not good.
        """
        now_ms = self._wall_ms()
        if block.expires and _moment_ms(block.expires) < now_ms - self._window_ms:
            raise Unauthenticated("the message has expired")
        said = block.said
        if not said:
            raise Unauthenticated("this needs credentials")
        user, password = said.get("username", ""), said.get("password", "")
        if not user or block.kind not in _KINDS:
            raise Unauthenticated("the token has no user, or a password of an unknown kind")
        if block.kind == _DIGEST:
            found = self._by_digest(user, password, said, now_ms)
        else:
            found = self._known.name_of([f"{user}:{password}".encode()])
            found = found or self._known.name_of([password.encode()], user)
        if not found:
            raise Unauthenticated("the credentials are not known here")
        return found

    def _by_digest(self, user: str, shown: str, said: Mapping[str, str], now_ms: int) -> str:
        created = said.get("created", "")
        try:
            nonce = b64decode(said.get("nonce", ""), validate=True)
        except (binascii.Error, ValueError):
            nonce = b""
        if not nonce or not created:
            raise Unauthenticated("a digest needs a nonce and the moment it was made")
        found = ""
        for name, secret in self._secrets.items():
            owner, colon, password = secret.partition(":")
            for candidate in ([password] if colon and owner == user else []) + ([secret] if name == user else []):
                # What the profile says; it is a message authentication code, for which SHA-1 still holds.
                made = hashlib.sha1(nonce + created.encode() + candidate.encode(), usedforsecurity=False).digest()
                if hmac.compare_digest(binascii.b2a_base64(made, newline=False), shown.strip(BLANKS).encode()):
                    found = name
        if not found:
            return ""
        made_ms = _moment_ms(created)
        if abs(now_ms - made_ms) > self._window_ms:
            raise Unauthenticated("the token was made too long ago, or the clocks differ")
        # One nonce of one user: another user's may be the same by chance.
        identity = hashlib.sha256(user.encode() + b"\0" + nonce).digest()
        if self._guard.admit(identity, made_ms + self._window_ms, now_ms) is not Admission.NEW:
            raise Unauthenticated("the token was used before")
        return found


def _moment_ms(text: str) -> int:
    try:
        moment: datetime = PARSERS[Kind.DATETIME](text)
    except ValueMappingError:
        raise Unauthenticated("a moment that is none") from None
    return int(moment.timestamp() * 1000)
