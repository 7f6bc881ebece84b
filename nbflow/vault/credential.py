"""A credential as its user holds it: values that show themselves to nobody who does not ask for them by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import SecretStr

from nbflow.core.errors import CredentialError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbflow.vault.kind import Kind


class Credential:
    """Fields by name as attributes, secret ones as `SecretStr`; `reveal` gives them in clear. `source` tells where it was found.

    It does not travel: to another process, into a file. Take it where it is used.
    """

    __slots__ = ("kind", "name", "source", "values")

    def __init__(self, name: str, values: Kind, source: str) -> None:
        self.name = name
        self.kind = values.kind
        self.source = source  # explicit, environment, keyring or vault
        self.values = values

    def __getattr__(self, field: str) -> Any:
        if field.startswith("_"):
            raise AttributeError(field)
        values = self.values.values()
        if field not in values:
            msg = f"credential '{self.name}' ({self.kind}) has no field '{field}'; it has {', '.join(values)}"
            raise AttributeError(msg)
        return values[field]

    def fields(self) -> Mapping[str, Any]:
        """Values by field, secret ones as `SecretStr`; None for what was not given."""
        return self.values.values()

    def reveal(self, field: str) -> str:
        """The field's value as text, a secret in clear. Raises CredentialError when it has none."""
        value = self.get(field)
        if value is None:
            msg = f"credential '{self.name}' ({self.kind}) has no '{field}'; it has {', '.join(self.values.revealed())}"
            raise CredentialError(msg)
        return value

    def get(self, field: str, default: str | None = None) -> str | None:
        """Like `reveal`, with a default for what was not given."""
        value = self.values.values().get(field)
        if value is None:
            return default
        return str(value.get_secret_value()) if isinstance(value, SecretStr) else str(value)

    def __repr__(self) -> str:
        return f"<credential '{self.name}': {self.kind}, from {self.source}>"

    def __reduce__(self) -> NoReturn:
        msg = f"credential '{self.name}' does not travel to another process or into a file: take it by its name where it is used"
        raise TypeError(msg)
