"""Named credentials: kept encrypted, found by name, told to the redactor before anybody gets them.

A name is looked for in what was given explicitly, then in the environment, the OS keyring and the vault.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import threading
import warnings
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from nbflow.core.errors import CredentialError, QueryError, StoreError, UnknownCredentialError
from nbflow.core.ids import new_id
from nbflow.core.redaction import SHORTEST, redactor
from nbflow.core.suggest import advice
from nbflow.store.audit import LOCAL, Actor, entry
from nbflow.store.sql import statements
from nbflow.vault import records
from nbflow.vault.credential import Credential
from nbflow.vault.environment import from_environment, from_text, variable
from nbflow.vault.key import Keys
from nbflow.vault.kind import Kind, NotTestableError, made
from nbflow.vault.os_keyring import OsKeyring
from nbflow.vault.records import CredentialInfo as CredentialInfo  # noqa: PLC0414 -- what this module's methods give

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

    import httpx

    from nbflow.store.interface import Store
    from nbflow.vault.records import Scope, Sealed

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_USED_EVERY = timedelta(hours=1)  # a write for each use would cost more than the use
_TEST_S = 15.0


@dataclass(frozen=True, kw_only=True, slots=True)
class TestResult:
    """What came of testing a credential. `ok` is None where there is nothing to ask."""

    __test__ = False  # not for pytest

    ok: bool | None
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotation:
    """What a rotation did."""

    credentials: int  # encrypted anew
    key: str  # id of the key they are encrypted with now


class Vault:
    """The credentials of one project. Every method may be called from any thread, and blocks for a query or so.

    `organization_id` None is the project's first organization, the one that notebook and command line work in. What the machine's environment
    and keyring hold belongs to that one alone. `explicit` comes before everything; `http` makes the client that `test` asks services with.
    """

    def __init__(
        self,
        store: Store,
        *,
        environment: Mapping[str, str] = os.environ,
        keyring: OsKeyring | None = None,
        keys: Keys | None = None,
        explicit: Mapping[str, Kind] | None = None,
        http: Callable[[], httpx.AsyncClient] | None = None,
    ) -> None:
        self._store = store
        self._environment = environment
        self._keyring = keyring or OsKeyring()
        folder = getattr(store, "folder", None)
        self._keys = keys or Keys(None if folder is None else folder.home, environment=environment, keyring=self._keyring)
        self._explicit = dict(explicit or {})
        self._http = http or _client
        self._lock = threading.Lock()
        self._generation = -1
        self._resolved: dict[tuple[str, UUID | None], Credential] = {}  # both as long as the store's generation holds
        self._scopes: dict[UUID | None, Scope] = {}

    # Using ------------------------------------------------------------------------------------------

    def resolve(self, name: str, *, kind: str | None = None, organization_id: UUID | None = None) -> Credential:
        """The credential, its secrets known to the redactor. Raises UnknownCredentialError, CredentialError (incomplete, another kind, no key)."""
        credential = self._found(name, kind, organization_id)
        if kind is not None and credential.kind != kind:
            msg = f"credential '{name}' is of kind {credential.kind}, and {kind} is needed here"
            raise CredentialError(msg)
        secrets = [text for text in credential.values.secrets() if text]
        if any(len(text) < SHORTEST for text in secrets):
            msg = f"credential '{name}' has a secret of less than {SHORTEST} characters: it cannot be kept out of logs and outputs"
            warnings.warn(msg, RuntimeWarning, stacklevel=2)
        redactor.learn(*secrets, name=name)
        return credential

    def _found(self, name: str, kind: str | None, organization_id: UUID | None) -> Credential:
        if name in self._explicit:
            return Credential(name, self._explicit[name], "explicit")
        if organization_id is None or self._scope(organization_id).first:
            values = from_environment(name, kind, self._environment)
            if values is not None:
                return Credential(name, values, "environment")
            text = self._keyring.get(name)
            if text:
                return Credential(name, from_text(name, kind, text, "the OS keyring"), "keyring")
        return self._kept(name, organization_id)

    def _kept(self, name: str, organization_id: UUID | None) -> Credential:
        generation = self._fresh()
        known = self._resolved.get((name, organization_id))
        if known is not None:
            return known
        scope = self._scope(organization_id)
        sealed = records.found(self._store, scope, name)
        if sealed is None:
            raise self._unknown(name, scope)
        credential = Credential(sealed.info.name, self._opened(sealed), "vault")
        with self._lock:
            if generation == self._generation:
                self._resolved[name, organization_id] = credential
        self._note_use(sealed.info)
        return credential

    def _scope(self, organization_id: UUID | None) -> Scope:
        generation = self._fresh()
        known = self._scopes.get(organization_id)
        if known is None:
            known = records.scope_of(self._store, organization_id)
            with self._lock:
                if generation == self._generation:
                    self._scopes[organization_id] = known
        return known

    def _fresh(self) -> int:
        """The store's generation; what was remembered of an earlier one is forgotten."""
        generation = self._store.generation()
        with self._lock:
            if generation != self._generation:
                self._generation, self._resolved, self._scopes = generation, {}, {}
        return generation

    def _opened(self, sealed: Sealed) -> Kind:
        info = sealed.info
        try:
            plain = self._keys.open(sealed.secret, _context(info.organization_id, info.id, info.kind))
        except CredentialError as error:
            msg = f"credential '{info.name}': {error}"
            raise CredentialError(msg) from None
        return made(info.kind, json.loads(plain), info.name)

    def _note_use(self, info: CredentialInfo) -> None:
        now = datetime.now(UTC)
        if info.last_used_at is not None and now - info.last_used_at < _USED_EVERY:
            return
        try:
            self._store.transact([(_sql("used"), {"id": str(info.id), "now": now.replace(tzinfo=None)})])
        except StoreError:
            return  # using it matters more than noting that

    # Changing ---------------------------------------------------------------------------------------

    def add(self, name: str, kind: str, values: Mapping[str, Any], *, organization_id: UUID | None = None, actor: Actor = LOCAL) -> CredentialInfo:
        """Keep a new credential. Raises CredentialError: a wrong or taken name, missing or wrong fields, a secret of less than 4 characters."""
        _checked_name(name)
        checked = self._checked(name, kind, values)
        scope = records.scope_of(self._store, organization_id)
        id_, now = new_id(), datetime.now(UTC)
        info = _info(id_, scope.organization_id, name, checked, now)
        with self._keys.held():
            secret = self._keys.seal(_plain(checked), _context(scope.organization_id, id_, kind))
            key = scope.params() | {"name": name}
            row = {**_row(info, secret), "id": str(id_), "organization_id": key["organization_id"], "name": name, "created_by": _text(actor.user_id)}
            audit = entry(actor, "credential.created", "credential", id_, organization_id=scope.organization_id, after=_audited(info))
            try:
                self._store.transact([(_sql("refuse_second"), key), (_sql("insert"), row), audit])
            except QueryError as error:
                if "of this name already" not in str(error):
                    raise
                msg = f"there is a credential '{name}' already: update or remove it, or choose another name"
                raise CredentialError(msg) from None
        return info

    def update(
        self,
        name: str,
        values: Mapping[str, Any],
        *,
        kind: str | None = None,
        organization_id: UUID | None = None,
        actor: Actor = LOCAL,
    ) -> CredentialInfo:
        """Change fields: those given replace the old ones, None takes one away, the others stay. With another `kind`, none stays.

        `name` may be the id. Raises UnknownCredentialError, CredentialError.
        """
        scope = records.scope_of(self._store, organization_id)
        with self._keys.held():
            sealed = self._sealed(scope, name)
            before = sealed.info
            kept: dict[str, Any] = self._opened(sealed).revealed() if kind in {None, before.kind} else {}
            checked = self._checked(before.name, kind or before.kind, {n: v for n, v in {**kept, **values}.items() if v is not None})
            now = datetime.now(UTC)
            info = replace(_info(before.id, before.organization_id, before.name, checked, now), created_at=before.created_at)
            secret = self._keys.seal(_plain(checked), _context(before.organization_id, before.id, checked.kind))
            row = {**_row(info, secret), "id": str(before.id)}
            audit = entry(
                actor, "credential.updated", "credential", before.id, organization_id=before.organization_id,
                before=_audited(before), after=_audited(info),
            )  # fmt: skip
            self._change([(_sql("refuse_gone"), {"id": str(before.id)}), (_sql("update"), row), audit], before.name)
        return info

    def remove(self, name: str, *, organization_id: UUID | None = None, actor: Actor = LOCAL) -> None:
        """Delete it; `name` may be the id. Raises UnknownCredentialError."""
        info = self.get(name, organization_id=organization_id)
        audit = entry(actor, "credential.removed", "credential", info.id, organization_id=info.organization_id, before=_audited(info))
        key = {"id": str(info.id)}
        self._change([(_sql("refuse_gone"), key), (_sql("remove"), key), audit], info.name)

    def rotate(self, *, actor: Actor = LOCAL) -> Rotation:
        """Encrypt every credential of the project with a new key, and forget the old one where it is ours (a key file).

        With the key in NBFLOW_KEY or in the OS keyring, put a new one before the old one first. Raises CredentialError.
        """
        with self._keys.held(alone=True):
            rows = records.everything(self._store)
            self._keys.renew()
            changes: list[tuple[str, dict[str, Any]]] = []
            for id_, organization_id, kind, secret in rows:
                context = _context(organization_id, id_, kind)
                changes.append((_sql("reseal"), {"id": str(id_), "secret": self._keys.seal(self._keys.open(secret, context), context)}))
            current = self._keys.current()
            audit = entry(actor, "credential.rotated", "vault", "key", after={"key": current, "credentials": len(rows)})
            self._store.transact([*changes, audit])
            self._keys.retire()
        return Rotation(credentials=len(rows), key=current)

    # Looking ----------------------------------------------------------------------------------------

    def list(self, *, organization_id: UUID | None = None) -> list[CredentialInfo]:
        """What the vault keeps, by name. Never values of secret fields."""
        return records.listed(self._store, records.scope_of(self._store, organization_id))

    def get(self, name: str, *, organization_id: UUID | None = None) -> CredentialInfo:
        """One of the vault's, by name or id. Raises UnknownCredentialError."""
        return self._sealed(records.scope_of(self._store, organization_id), name).info

    def test(self, name: str, *, organization_id: UUID | None = None) -> TestResult:
        """Ask the service whether it accepts the credential: the cheapest question it has, with no effect there. Raises UnknownCredentialError."""
        try:
            credential = self.resolve(name, organization_id=organization_id)
        except UnknownCredentialError:
            raise
        except CredentialError as error:
            return TestResult(ok=False, message=str(error))
        answers: list[TestResult] = []
        worker = threading.Thread(target=lambda: answers.append(asyncio.run(self._tested(credential))), name="nbflow-credential-test")
        worker.start()  # of its own: the caller's may have a running loop
        worker.join()
        return answers[0]

    async def _tested(self, credential: Credential) -> TestResult:
        try:
            async with asyncio.timeout(_TEST_S), self._http() as http:
                return TestResult(ok=True, message=redactor.text(await credential.values.check(http)))
        except NotTestableError as error:
            return TestResult(ok=None, message=redactor.text(str(error)))
        except TimeoutError:
            return TestResult(ok=False, message=f"no answer within {_TEST_S:g} s")
        except Exception as error:  # noqa: BLE001 -- whatever a service answers, or a guard of the network says
            told = str(error) if isinstance(error, CredentialError) else f"{type(error).__name__}: {error}"
            return TestResult(ok=False, message=redactor.text(told))

    # Inside -----------------------------------------------------------------------------------------

    def _sealed(self, scope: Scope, name: str) -> Sealed:
        sealed = records.found(self._store, scope, name)
        if sealed is None:
            raise self._unknown(name, scope)
        return sealed

    def _unknown(self, name: str, scope: Scope) -> UnknownCredentialError:
        names = [info.name for info in records.listed(self._store, scope)]
        place = f", the environment ({variable(name)}) and the OS keyring" if scope.first else ""
        msg = f"there is no credential '{name}' in the vault{place}{advice(name, names)}. `nbflow credentials add {name}` makes one"
        return UnknownCredentialError(msg)

    def _checked(self, name: str, kind: str, values: Mapping[str, Any]) -> Kind:
        plain = {field: value.get_secret_value() if isinstance(value, SecretStr) else value for field, value in values.items()}
        checked = made(kind, plain, name)
        for field, value in checked.values().items():
            if isinstance(value, SecretStr) and len(value.get_secret_value()) < SHORTEST:
                msg = f"credential '{name}', field '{field}': less than {SHORTEST} characters cannot be kept out of logs and outputs"
                raise CredentialError(msg)
            if isinstance(value, SecretStr) and value.get_secret_value() in name:
                msg = f"credential '{name}', field '{field}': its value is a part of its name, which everybody may see; choose another name"
                raise CredentialError(msg)
        redactor.learn(*(text for text in checked.secrets() if text), name=name)
        return checked

    def _change(self, changes: Sequence[tuple[str, dict[str, Any]]], name: str) -> None:
        try:
            self._store.transact(changes)
        except QueryError as error:
            if "removed meanwhile" not in str(error):
                raise
            msg = f"credential '{name}' was removed meanwhile"
            raise UnknownCredentialError(msg) from None


def _checked_name(name: str) -> None:
    if not NAME.fullmatch(name):
        msg = f"{name!r} is no name for a credential: up to 64 letters, digits, '.', '-' and '_', beginning with a letter or digit"
        raise CredentialError(msg)


def _sql(name: str) -> str:
    return statements("credentials.sql")[name]


def _text(id_: UUID | None) -> str | None:
    return None if id_ is None else str(id_)


def _context(organization_id: UUID | None, id_: UUID, kind: str) -> bytes:
    """What binds a sealed value to its row."""
    return f"credential {organization_id or '-'} {id_} {kind}".encode()


def _plain(values: Kind) -> bytes:
    return json.dumps(values.revealed()).encode()


def _info(id_: UUID, organization_id: UUID | None, name: str, values: Kind, now: datetime) -> CredentialInfo:
    return CredentialInfo(
        id=id_,
        organization_id=organization_id,
        name=name,
        kind=values.kind,
        fields=values.shown(),
        secret_fields=values.held(),
        created_at=now,
        updated_at=now,
        last_used_at=None,
    )


def _row(info: CredentialInfo, secret: bytes) -> dict[str, Any]:
    metadata = json.dumps({"fields": dict(info.fields), "secrets": list(info.secret_fields)})
    return {"type": info.kind, "secret": secret, "metadata": metadata, "now": info.updated_at.replace(tzinfo=None)}


def _audited(info: CredentialInfo) -> dict[str, Any]:
    return {"name": info.name, "kind": info.kind, "fields": dict(info.fields), "secret_fields": list(info.secret_fields)}


def _client() -> httpx.AsyncClient:
    import httpx

    return httpx.AsyncClient(timeout=10, follow_redirects=False)
