"""An identity provider as seen from outside: a discovery document, keys, and tokens signed with them (shaped like Clerk's: `azp`, no `aud`)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

PARTY = "https://lab.example.org"


class Issuer:
    def __init__(self) -> None:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked[self.path] += 1
                if issuer.away:
                    self.close_connection = True
                    return
                answer = issuer.documents.get(self.path)
                body = json.dumps(answer() if answer else {}).encode()
                self.send_response(200 if answer else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                issuer.posted.append((dict(parse_qsl(form)), self.headers.get("Authorization")))
                body = json.dumps(issuer.tokens).encode()
                self.send_response(400 if "error" in issuer.tokens else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.asked: Counter[str] = Counter()
        self.posted: list[tuple[dict[str, str], str | None]] = []  # to the token endpoint: form and Authorization header
        self.tokens: dict[str, Any] = {}  # what that answers
        self.away = False
        self.keys: dict[str, Any] = {}
        self.published: dict[str, dict[str, Any]] = {}
        self.claimed = self.url
        self.documents = {
            "/.well-known/openid-configuration": lambda: {
                "issuer": self.claimed,
                "jwks_uri": f"{self.url}/jwks",
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
            },
            "/jwks": lambda: {"keys": list(self.published.values())},
        }
        self.rotate("first")
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def rotate(self, kid: str, *, kind: str = "RSA") -> None:
        """Signs with a new key from now on, and publishes only that."""
        self.published.clear()
        self.add(kid, kind=kind)
        self.kid = kid

    def add(self, kid: str, *, kind: str = "RSA", **more: Any) -> None:
        if kind == "RSA":
            key: Any = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        else:
            key = ec.generate_private_key(ec.SECP256R1())
            public = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        self.keys[kid] = key
        self.published[kid] = {**public, "kid": kid, "use": "sig", **more}

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {"iss": self.url, "sub": "user_2abc", "azp": PARTY, "iat": now, "nbf": now - 5, "exp": now + 60, "sid": "sess_1"} | changes
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, *, kid: str | None = None, key: Any = None, algorithm: str = "RS256", **changes: Any) -> str:
        kid = kid or self.kid
        return jwt.encode(self.claims(**changes), key or self.keys[kid], algorithm=algorithm, headers={"kid": kid})

    def by_hand(self, header: dict[str, Any], signature: bytes | None = None) -> str:
        """A token that no library would make. Without a signature: HMAC-SHA256 with the text of the public key as its secret."""
        signed = f"{_part(json.dumps(header).encode())}.{_part(json.dumps(self.claims()).encode())}"
        if signature is None:
            public = self.keys[self.kid].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            signature = hmac.new(public, signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{_part(signature)}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
