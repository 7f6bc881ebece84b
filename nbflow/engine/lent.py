"""A credential on its way to a function in another process: asked for there by name, resolved here, kept nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import SecretStr

from nbflow.core.errors import CredentialError
from nbflow.core.redaction import redactor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbflow.engine.call import NodeCall


class Lent(NamedTuple):
    """What goes through the pipe."""

    name: str
    kind: str
    fields: Mapping[str, Any]


def lent(call: NodeCall, name: str, kind: str | None) -> Lent | Exception:
    """Resolved for the process that runs the call, or why not."""
    try:
        credential = call.credential(name, kind)
    except Exception as error:  # noqa: BLE001 -- raised again in the process
        return error
    return Lent(credential.name, credential.kind, dict(credential.fields()))


class LentCredential:
    """A `core.node.Credential` in the other process."""

    def __init__(self, content: Lent) -> None:
        self.name = content.name
        self.kind = content.kind
        self._fields = content.fields
        redactor.learn(*(value.get_secret_value() for value in content.fields.values() if isinstance(value, SecretStr)), name=content.name)

    def fields(self) -> Mapping[str, Any]:
        """See Credential."""
        return self._fields

    def reveal(self, field: str) -> str:
        """See Credential."""
        value = self.get(field)
        if value is None:
            msg = f"credential '{self.name}' ({self.kind}) has no '{field}'"
            raise CredentialError(msg)
        return value

    def get(self, field: str, default: str | None = None) -> str | None:
        """See Credential."""
        value = self._fields.get(field)
        if value is None:
            return default
        return str(value.get_secret_value()) if isinstance(value, SecretStr) else str(value)

    def __getattr__(self, field: str) -> Any:
        if field.startswith("_") or field not in self._fields:
            raise AttributeError(field)
        return self._fields[field]

    def __reduce__(self) -> str:
        msg = f"credential '{self.name}' does not travel to another process or into a file: take it by its name where it is used"
        raise TypeError(msg)

    def __repr__(self) -> str:
        return f"<credential '{self.name}': {self.kind}>"
