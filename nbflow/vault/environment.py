"""Credentials in environment variables and in the OS keyring: both hold texts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import CredentialError
from nbflow.vault.kind import KINDS, Kind, kind_named, made

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "NBFLOW_CREDENTIAL_"
GOOGLE_FILE = "GOOGLE_APPLICATION_CREDENTIALS"
_OTHERS = re.compile(r"[^A-Za-z0-9]+")


def variable(name: str) -> str:
    """`NBFLOW_CREDENTIAL_PROD_PG` for `prod-pg`."""
    return PREFIX + _OTHERS.sub("_", name).upper()


def from_environment(name: str, kind: str | None, environment: Mapping[str, str]) -> Kind | None:
    """The credential of this name; None when no variable has it.

    Its own variable holds a JSON object of the fields (and `kind`), or the only secret as it is. A credential called like its kind is found in the
    service's own variables too: `openai` in OPENAI_API_KEY. Raises CredentialError.
    """
    if text := environment.get(variable(name)):
        return from_text(name, kind, text, variable(name))
    import nbflow.vault.kinds  # noqa: F401 -- declares them

    declaration = KINDS.get(name)
    if declaration is None or kind not in {None, name}:
        return None
    values: Mapping[str, Any] = services_own(name, environment)
    return made(name, values, name) if values else None


def services_own(kind: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Field values from the variables that the service's own tools read; empty when they are not set."""
    if kind == "google_service_account":
        file = environment.get(GOOGLE_FILE)
        try:
            return {"key": Path(file).read_text("utf-8")} if file else {}
        except OSError as error:
            msg = f"{GOOGLE_FILE} names a file that cannot be read: {error.strerror}"
            raise CredentialError(msg) from error
    return kind_named(kind).from_environment(environment)


def from_text(name: str, kind: str | None, text: str, place: str) -> Kind:
    """A credential written as text. Raises CredentialError."""
    values: Any = None
    if text.lstrip().startswith("{"):
        try:
            values = json.loads(text)
        except ValueError:
            msg = f"credential '{name}': {place} begins like JSON, but is none"
            raise CredentialError(msg) from None
    import nbflow.vault.kinds  # noqa: F401 -- declares them

    kind = kind or (values.get("kind") if isinstance(values, dict) else None) or (name if name in KINDS else "generic")
    if kind == "google_service_account" and isinstance(values, dict) and "key" not in values:
        values = {"key": text}
    if isinstance(values, dict):
        return made(kind, {field: value for field, value in values.items() if field != "kind"}, name)
    return made(kind, {only_secret(kind, name, place): text}, name)


def only_secret(kind: str, name: str, place: str) -> str:
    """The one field that a bare text can mean. Raises CredentialError where there are several."""
    if kind == "generic":
        return "value"
    declaration = kind_named(kind)
    secret = [field for field in declaration.secret_fields() if declaration.model_fields[field].is_required()]
    if len(secret) == 1:
        return secret[0]
    msg = f"credential '{name}': {place} must hold a JSON object with the fields of {kind} ({', '.join(declaration.model_fields)})"
    raise CredentialError(msg)
