"""Credentials: named secrets that nodes use. Values go in and never come out."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from nbflow.accounts.rights import Permission
from nbflow.core.errors import UnknownCredentialError
from nbflow.server.access import Access, require
from nbflow.server.errors import responses
from nbflow.server.paging import Page, whole
from nbflow.server.schemas.base import Answer, Body
from nbflow.server.state import ServerState, State
from nbflow.vault.kinds import KINDS
from nbflow.vault.vault import CredentialInfo

router = APIRouter(prefix="/credentials", tags=["credentials"])
kinds_router = APIRouter(prefix="/credential-kinds", tags=["credentials"])

Reading = Annotated[Access, require(Permission.CREDENTIAL_READ)]
Using = Annotated[Access, require(Permission.CREDENTIAL_USE)]
Writing = Annotated[Access, require(Permission.CREDENTIAL_WRITE)]
Values = dict[str, Annotated[str, Field(max_length=65_536)] | int | float | bool | None]
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
_EXAMPLE = {"token": "a-token-of-the-service"}


class NewCredential(Body):
    """A credential to be kept."""

    name: str = Field(pattern=_NAME, description="What nodes call it by.", examples=["orders-api"])
    kind: str = Field(max_length=100, description="One of GET /credential-kinds.", examples=["http_bearer"])
    values: Values = Field(description="The kind's fields. Those that are secret are encrypted, and shown to nobody again.", examples=[_EXAMPLE])
    organization_id: UUID | None = Field(default=None, description="Whose it is; without it, your oldest organization.")


class CredentialChange(Body):
    """Fields to change."""

    values: Values = Field(description="Given fields replace the old ones, null takes one away, all others stay.", examples=[_EXAMPLE])
    kind: str | None = Field(default=None, max_length=100, description="Another kind; no old field stays then.")


class CredentialItem(Answer):
    """All that may be known of a credential."""

    id: UUID
    organization_id: UUID | None
    name: str
    kind: str
    fields: dict[str, Any] = Field(description="Values of the fields that are not secret.")
    secret_fields: list[str] = Field(description="Names of the secret fields that are set.")
    created_at: datetime
    updated_at: datetime
    last_used_at: datetime | None = Field(description="To the hour.")


class CredentialTest(Answer):
    """What came of asking the service."""

    ok: bool | None = Field(description="null: this kind cannot be tested by itself.")
    message: str


class CredentialKind(Answer):
    """What a kind of credential consists of."""

    kind: str
    title: str
    secret_fields: list[str]
    values_schema: dict[str, Any] = Field(description="JSON Schema of `values`.")


@kinds_router.get("", summary="List kinds of credentials")
def list_kinds(access: Annotated[Access, require(Permission.WORKFLOW_READ)]) -> Page[CredentialKind]:  # noqa: ARG001 -- only the right is needed
    """Each with the schema of its values."""
    return whole(
        [
            CredentialKind(kind=name, title=kind.title, secret_fields=list(kind.secret_fields()), values_schema=kind.model_json_schema())
            for name, kind in sorted(KINDS.items())
        ]
    )


@router.get("", summary="List credentials", responses=responses(404))
def list_credentials(
    server: State, access: Reading, organization_id: Annotated[UUID | None, Query(description="Only of this organization.")] = None
) -> Page[CredentialItem]:
    """Names and kinds, by name. Values of secret fields are in no answer."""
    organizations = {access.check(organization_id)} if organization_id else access.organizations
    found = {info.id: info for one in organizations for info in server.vault.list(organization_id=one)}
    return whole([_item(info) for info in sorted(found.values(), key=lambda info: (info.name, info.id))])


@router.post("", status_code=201, summary="Keep a credential", responses=responses(404))
def create_credential(server: State, access: Writing, body: NewCredential, response: Response) -> CredentialItem:
    """Encrypted before it is stored."""
    organization = access.choose(body.organization_id)
    info = server.vault.add(body.name, body.kind, body.values, organization_id=organization, actor=access.actor)
    response.headers["Location"] = f"./credentials/{info.id}"
    return _item(info)


@router.get("/{credential_id}", summary="One credential", responses=responses(404))
def get_credential(server: State, access: Reading, credential_id: UUID) -> CredentialItem:
    """Without the values of its secret fields."""
    return _item(_find(server, access, credential_id)[0])


@router.put("/{credential_id}", summary="Change a credential", responses=responses(404))
def change_credential(server: State, access: Writing, credential_id: UUID, body: CredentialChange) -> CredentialItem:
    """Nodes use the new values from their next call on."""
    info, organization = _find(server, access, credential_id)
    return _item(server.vault.update(str(info.id), body.values, kind=body.kind, organization_id=organization, actor=access.actor))


@router.delete("/{credential_id}", status_code=204, summary="Delete a credential", responses=responses(404))
def delete_credential(server: State, access: Writing, credential_id: UUID) -> None:
    """Flows that name it fail from now on."""
    info, organization = _find(server, access, credential_id)
    server.vault.remove(str(info.id), organization_id=organization, actor=access.actor)


@router.post("/{credential_id}/test", summary="Test a credential", responses=responses(404))
def test_credential(server: State, access: Using, credential_id: UUID) -> CredentialTest:
    """Asks the service whether it accepts it, by the cheapest question that changes nothing there."""
    info, organization = _find(server, access, credential_id)
    result = server.vault.test(info.name, organization_id=organization)
    return CredentialTest(ok=result.ok, message=result.message)


def _find(server: ServerState, access: Access, credential_id: UUID) -> tuple[CredentialInfo, UUID]:
    """404 for one of another organization, 403 where the route's permission is missing."""
    for organization in sorted(access.principal.organizations):
        try:
            info = server.vault.get(str(credential_id), organization_id=organization)
        except UnknownCredentialError:
            continue
        return info, access.check(organization)
    msg = f"there is no credential '{credential_id}' here; GET /credentials lists them"
    raise UnknownCredentialError(msg)


def _item(info: CredentialInfo) -> CredentialItem:
    facts = {name: getattr(info, name) for name in CredentialItem.model_fields}
    return CredentialItem(**{**facts, "fields": dict(info.fields), "secret_fields": list(info.secret_fields)})
