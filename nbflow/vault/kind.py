"""What a kind of credential declares. One class has many readers: command line, form, REST schema, environment, redaction, documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from nbflow.core.errors import CredentialError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    KindClass = type["Kind"]

KINDS: dict[str, KindClass] = {}
"""Every kind by its name; filled when `nbflow.vault.kinds` is imported."""


class NotTestableError(CredentialError):
    """There is nothing to ask whether this credential works."""


class Kind(BaseModel):
    """Base of all kinds. Fields of type SecretStr are secret; everything else may be shown and listed."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: ClassVar[str] = ""
    title: ClassVar[str] = ""  # one line for lists and forms
    environment: ClassVar[Mapping[str, tuple[str, ...]]] = {}  # by field: the service's own variables, the first that is set counts

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        if cls.kind:
            KINDS[cls.kind] = cls

    @classmethod
    def secret_fields(cls) -> tuple[str, ...]:
        """Names of the fields that hold secrets."""
        return tuple(name for name, info in cls.model_fields.items() if info.annotation is SecretStr or SecretStr in get_args(info.annotation))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> dict[str, str]:
        """Field values from the service's own variables; empty when none of the secret ones is set."""
        first = {field: next(filter(None, map(environment.get, names)), None) for field, names in cls.environment.items()}
        found = {field: value for field, value in first.items() if value is not None}
        return found if set(found) & set(cls.secret_fields()) else {}

    def revealed(self) -> dict[str, Any]:
        """All values that are set, secrets in clear: what gets encrypted."""
        return {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in self.values().items() if value is not None
        }

    def values(self) -> dict[str, Any]:
        """The fields' values by name."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    def shown(self) -> dict[str, Any]:
        """The values that may be listed."""
        return {name: value for name, value in self.values().items() if value is not None and not isinstance(value, SecretStr)}

    def held(self) -> tuple[str, ...]:
        """Names of the secret fields that are set."""
        return tuple(name for name, value in self.values().items() if isinstance(value, SecretStr))

    def secrets(self) -> list[str]:
        """Everything that gives the credential away and must not be written down. Kinds that make tokens out of several fields add to it."""
        return [value.get_secret_value() for value in self.values().values() if isinstance(value, SecretStr)]

    async def check(self, http: httpx.AsyncClient) -> str:  # noqa: ARG002 -- the kinds' own checks use it
        """Asks the service whether the credential works; gives what it answered in a few words. Raises CredentialError."""
        msg = f"credentials of kind {self.kind} cannot be tested by themselves"
        raise NotTestableError(msg)


def kind_named(name: str) -> KindClass:
    """The declaration. Raises CredentialError with a suggestion."""
    import nbflow.vault.kinds  # noqa: F401 -- declares them
    from nbflow.core.suggest import advice

    if name not in KINDS:
        msg = f"there is no kind of credential '{name}'{advice(name, KINDS)} (`nbflow credentials kinds` lists them)"
        raise CredentialError(msg)
    return KINDS[name]


def made(kind: str, values: Mapping[str, Any], name: str) -> Kind:
    """Validated values. Raises CredentialError that names the field and never its value."""
    declaration = kind_named(kind)
    try:
        return declaration.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        known = f" ({kind} has {', '.join(declaration.model_fields)})" if first["type"] == "extra_forbidden" else ""
        where = f", field '{field}'" if field else ""
        msg = f"credential '{name}' ({kind}){where}: {first['msg'].removeprefix('Value error, ')}{known}"
        raise CredentialError(msg) from None


async def asked(
    http: httpx.AsyncClient,
    method: Literal["GET", "POST"],
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
    data: Mapping[str, str] | None = None,
) -> httpx.Response:
    """One question to a service. Raises CredentialError when it cannot be reached or does not accept the credential."""
    import httpx

    try:
        answer = await http.request(method, url, headers=dict(headers or {}), params=query, auth=auth, data=dict(data) if data else None)
    except httpx.HTTPError as error:
        msg = f"{httpx.URL(url).host} cannot be reached: {type(error).__name__}"
        raise CredentialError(msg, retryable=True) from None
    if answer.status_code in {401, 403}:
        msg = f"{answer.url.host} does not accept it ({answer.status_code})"
        raise CredentialError(msg)
    if answer.is_error or answer.is_redirect:
        msg = f"{answer.url.host} answered {answer.status_code}"
        raise CredentialError(msg)
    return answer
