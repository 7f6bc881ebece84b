"""Amazon Web Services."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr

from nbflow.core.errors import CredentialError
from nbflow.vault.kind import Kind, asked

if TYPE_CHECKING:
    import httpx

_FORM = "application/x-www-form-urlencoded; charset=utf-8"


class Aws(Kind):
    """An access key of AWS, or of what speaks its protocols."""

    kind: ClassVar[str] = "aws"
    title: ClassVar[str] = "Amazon Web Services"
    environment: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "access_key_id": ("AWS_ACCESS_KEY_ID",),
        "secret_access_key": ("AWS_SECRET_ACCESS_KEY",),
        "session_token": ("AWS_SESSION_TOKEN",),
        "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
        "profile": ("AWS_PROFILE",),
        "endpoint_url": ("AWS_ENDPOINT_URL",),
    }

    access_key_id: str = Field(description="Access key id, AKIA... or ASIA...")
    secret_access_key: SecretStr = Field(description="Secret access key.")
    session_token: SecretStr | None = Field(default=None, description="Session token of a temporary key.")
    region: str = Field(default="us-east-1", description="Region.")
    profile: str | None = Field(default=None, description="Name of a profile of the AWS tools.")
    endpoint_url: str | None = Field(default=None, description="Address of another server with the same API.")

    async def check(self, http: "httpx.AsyncClient") -> str:
        """sts:GetCallerIdentity, which every key may call."""
        url = (self.endpoint_url or f"https://sts.{self.region}.amazonaws.com").rstrip("/") + "/"
        query = {"Action": "GetCallerIdentity", "Version": "2011-06-15"}
        headers = signed(
            "GET", url, query, service="sts", region=self.region, key=self.access_key_id, secret=self.secret_access_key.get_secret_value(),
            token=self.session_token.get_secret_value() if self.session_token else None, now=datetime.now(UTC),
        )  # fmt: skip
        answer = await asked(http, "GET", url, headers=headers, query=query)
        if "<Arn>" not in answer.text:
            msg = f"{answer.url.host} did not say who it is"
            raise CredentialError(msg)
        return f"signed in as {answer.text.partition('<Arn>')[2].partition('</Arn>')[0]}"


def signed(
    method: str, url: str, query: Mapping[str, str], *, service: str, region: str, key: str, secret: str, token: str | None, now: datetime
) -> dict[str, str]:
    """Headers of a request without a body, after AWS Signature Version 4."""
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    headers = {"content-type": _FORM, "host": urlsplit(url).netloc, "x-amz-date": stamp} | ({"x-amz-security-token": token} if token else {})
    names = ";".join(sorted(headers))
    pairs = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in sorted(query.items()))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    asked_for = "\n".join([method, urlsplit(url).path or "/", pairs, lines, names, hashlib.sha256(b"").hexdigest()])
    scope = f"{day}/{region}/{service}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(asked_for.encode()).hexdigest()])
    derived = f"AWS4{secret}".encode()
    for step in (day, region, service, "aws4_request"):
        derived = hmac.new(derived, step.encode(), hashlib.sha256).digest()
    signature = hmac.new(derived, to_sign.encode(), hashlib.sha256).hexdigest()
    proof = f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {name: value for name, value in headers.items() if name != "host"} | {"Authorization": proof}
