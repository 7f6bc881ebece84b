"""Credentials that a program gives itself: tests, embedders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbflow.core.errors import CredentialError
from nbflow.core.redaction import redactor
from nbflow.vault.credential import Credential
from nbflow.vault.kind import made

if TYPE_CHECKING:
    from collections.abc import Mapping


def explicit(name: str, values: Mapping[str, Any], kind: str | None = None) -> Credential:
    """From its fields and `kind` among them (else generic), its secrets known to the redactor. Raises CredentialError."""
    fields = {field: value for field, value in values.items() if field != "kind"}
    credential = Credential(name, made(str(values.get("kind") or "generic"), fields, name), "explicit")
    if kind is not None and credential.kind != kind:
        msg = f"credential '{name}' is of kind {credential.kind}, and {kind} is needed here"
        raise CredentialError(msg)
    redactor.learn(*filter(None, credential.values.secrets()), name=name)
    return credential
