"""Databases. Their drivers are optional; without one, a credential can be kept and used, not tested."""

import asyncio
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, model_validator

from nbflow.core.errors import CredentialError
from nbflow.vault.kind import Kind, NotTestableError

if TYPE_CHECKING:
    import httpx

_SECONDS = 10


class _Database(Kind):
    uri: SecretStr | None = Field(default=None, description="Everything in one address, instead of the other fields.")
    password: SecretStr | None = Field(default=None, description="Password.")

    def secrets(self) -> list[str]:
        """The password inside the address too, as written there and decoded."""
        found = [self.password.get_secret_value()] if self.password else []
        if self.uri is not None:
            inside = urlsplit(self.uri.get_secret_value()).password
            found += [inside, unquote(inside)] if inside else [self.uri.get_secret_value()]
        return found

    def _ask(self) -> str:
        raise NotImplementedError

    async def check(self, http: "httpx.AsyncClient") -> str:  # noqa: ARG002 -- not by HTTP
        """Connects and asks the smallest question."""
        return await asyncio.to_thread(self._ask)


class _Server(_Database):
    host: str | None = Field(default=None, description="Name of the server.")
    database: str | None = Field(default=None, description="Name of the database.")
    user: str | None = Field(default=None, description="User name.")
    ca: str | None = Field(default=None, description="File with the certificate authority to trust.")

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if (self.uri is None) == (self.host is None):
            msg = "give either uri or host"
            raise ValueError(msg)
        return self


class Postgres(_Server):
    """PostgreSQL."""

    kind: ClassVar[str] = "postgres"
    title: ClassVar[str] = "PostgreSQL"
    environment: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "uri": ("DATABASE_URL",),
        "host": ("PGHOST",),
        "port": ("PGPORT",),
        "database": ("PGDATABASE",),
        "user": ("PGUSER",),
        "password": ("PGPASSWORD",),
        "ssl": ("PGSSLMODE",),
        "ca": ("PGSSLROOTCERT",),
    }

    port: int = Field(default=5432, ge=1, le=65535, description="Port.")
    ssl: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = Field(default="prefer", description="libpq's sslmode.")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> dict[str, str]:
        """DATABASE_URL wins over the PG variables."""
        found = super().from_environment(environment)
        return {"uri": found["uri"]} if "uri" in found else found

    def _ask(self) -> str:
        psycopg = _driver("psycopg")
        address = self.uri.get_secret_value() if self.uri else ""
        fields = {} if self.uri else {"host": self.host, "port": self.port, "dbname": self.database, "user": self.user, "sslmode": self.ssl}
        if self.password and not self.uri:
            fields["password"] = self.password.get_secret_value()
        if self.ca and not self.uri:
            fields["sslrootcert"] = self.ca
        try:
            with psycopg.connect(address, connect_timeout=_SECONDS, **{name: value for name, value in fields.items() if value}) as connection:
                connection.execute("select 1")
        except psycopg.Error as error:
            raise _refused(error) from None
        return "PostgreSQL answers"


class MySQL(_Server):
    """MySQL and MariaDB."""

    kind: ClassVar[str] = "mysql"
    title: ClassVar[str] = "MySQL or MariaDB"
    environment: ClassVar[Mapping[str, tuple[str, ...]]] = {"uri": ("MYSQL_URL",)}

    port: int = Field(default=3306, ge=1, le=65535, description="Port.")
    ssl: bool = Field(default=False, description="Encrypt the connection.")

    def _ask(self) -> str:
        pymysql = _driver("pymysql")
        if self.uri is not None:
            parts = urlsplit(self.uri.get_secret_value())
            fields: dict[str, Any] = {"host": parts.hostname, "port": parts.port or self.port, "user": unquote(parts.username or "")}
            fields |= {"password": unquote(parts.password or ""), "database": parts.path.strip("/") or None}
        else:
            fields = {"host": self.host, "port": self.port, "user": self.user, "database": self.database}
            fields["password"] = self.password.get_secret_value() if self.password else ""
        if self.ssl or self.ca:
            fields["ssl"] = {"ca": self.ca}
        try:
            with pymysql.connect(connect_timeout=_SECONDS, **fields) as connection, connection.cursor() as cursor:
                cursor.execute("select 1")
        except pymysql.MySQLError as error:
            raise _refused(error) from None
        return "MySQL answers"


class MongoDB(_Database):
    """MongoDB."""

    kind: ClassVar[str] = "mongodb"
    title: ClassVar[str] = "MongoDB"
    environment: ClassVar[Mapping[str, tuple[str, ...]]] = {"uri": ("MONGODB_URI",)}

    uri: SecretStr = Field(description="Connection string, mongodb:// or mongodb+srv://.")
    database: str | None = Field(default=None, description="Name of the database.")

    def _ask(self) -> str:
        pymongo = _driver("pymongo")
        try:
            with pymongo.MongoClient(self.uri.get_secret_value(), serverSelectionTimeoutMS=_SECONDS * 1000) as client:
                client.admin.command("ping")
        except pymongo.errors.PyMongoError as error:
            raise _refused(error) from None
        return "MongoDB answers"


def _driver(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        msg = f"testing it needs a driver: pip install {name}"
        raise NotTestableError(msg) from None


def _refused(error: Exception) -> CredentialError:
    return CredentialError(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}")
