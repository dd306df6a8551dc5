"""Section `credentials`: named secrets. The file says where a secret is, never what it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import PrivateAttr

from gateway.config.scalar import Variable, Word
from gateway.config.secret import Secret
from gateway.config.sections.section import Section

__all__ = ["CredentialConfig"]

_MAX_FILE_BYTES: Final = 65_536


class CredentialConfig(Section):
    """Where one secret comes from: exactly one of the two."""

    env: Variable | None = None
    """Name of an environment variable."""

    file: Word | None = None
    """A file, from the folder of the configuration file; one line end at its end is not part of the secret."""

    _secret: Secret | None = PrivateAttr(default=None)

    @property
    def is_read(self) -> bool:
        """Whether `secret` may be asked for."""
        return self._secret is not None

    @property
    def secret(self) -> Secret:
        """The secret. Raises LookupError before `read`."""
        if self._secret is None:
            raise LookupError("the credential was not read yet")
        return self._secret

    def read(self, environ: Mapping[str, str], folder: Path) -> CredentialConfig:
        """A copy that holds the secret.

        Raises:
            ValueError: it is not there, empty, unreadable, not UTF-8 or longer than 64 KiB; says which, never what.
        """
        if (self.env is None) == (self.file is None):
            raise ValueError("needs either env or file")
        text = _from_environment(self.env, environ) if self.env is not None else _from_file(folder / (self.file or ""))
        if not text:
            raise ValueError("the secret is empty")
        copy = self.model_copy()
        copy._secret = Secret(text)
        return copy


def _from_environment(name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name)
    if value is None:
        raise ValueError(f"environment variable {name} is not set")
    return value


def _from_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_FILE_BYTES + 1)
        text = raw.decode()
    except OSError as exc:
        raise ValueError(f"cannot read {path}: {exc.strerror or exc}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None
    if len(raw) > _MAX_FILE_BYTES:
        raise ValueError(f"{path} is larger than {_MAX_FILE_BYTES // 1024} KiB")
    return text.removesuffix("\n").removesuffix("\r")
