from __future__ import annotations

import base64
import json
import time

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from gated import GatedServer
from issuer import PARTY

from nbflow.accounts.rights import Role
from nbflow.core.errors import IdentityProviderError
from nbflow.server.auth.fetched import COOLDOWN_S, FRESH_S, STALE_S, Fetched
from nbflow.server.auth.provider import Provider
from nbflow.server.settings import OidcSettings

BAD = {
    "expired": ("expired_token", lambda issuer: issuer.token(exp=1)),
    "not valid yet": ("expired_token", lambda issuer: issuer.token(nbf=4_000_000_000)),
    "changed content": ("forged_token", lambda issuer: _changed(issuer.token())),
    "signed by another with the same key id": (
        "forged_token",
        lambda issuer: issuer.token(key=rsa.generate_private_key(public_exponent=65537, key_size=2048)),
    ),
    "no signature": ("forged_token", lambda issuer: issuer.token().rpartition(".")[0] + "."),
    "another issuer": ("wrong_issuer", lambda issuer: issuer.token(iss="https://evil.example")),
    "no issuer": ("wrong_issuer", lambda issuer: issuer.token(iss=None)),
    "another party": ("wrong_audience", lambda issuer: issuer.token(azp="https://evil.example")),
    "another audience": ("wrong_audience", lambda issuer: issuer.token(azp=None, aud="another-application")),
    "neither audience nor party": ("wrong_audience", lambda issuer: issuer.token(azp=None)),
    "alg none": ("wrong_algorithm", lambda issuer: issuer.by_hand({"alg": "none", "kid": issuer.kid}, b"")),
    "alg None": ("wrong_algorithm", lambda issuer: issuer.by_hand({"alg": "None", "kid": issuer.kid}, b"")),
    "no alg": ("wrong_algorithm", lambda issuer: issuer.by_hand({"kid": issuer.kid}, b"")),
    "HS256 with the public key": ("wrong_algorithm", lambda issuer: issuer.by_hand({"alg": "HS256", "kid": issuer.kid})),
    "another kind of key than it says": ("wrong_algorithm", lambda issuer: issuer.by_hand({"alg": "ES256", "kid": issuer.kid}, b"x" * 64)),
    "unknown key": ("unknown_signing_key", lambda issuer: issuer.token(kid="first") if issuer.rotate("second") else issuer.token(kid="first")),
    "key given in the token itself": (
        "unknown_signing_key",
        lambda issuer: issuer.by_hand({"alg": "RS256", "kid": "x", "jwk": {"kty": "oct"}}, b"x"),
    ),
    "no expiry": ("malformed_authorization", lambda issuer: issuer.token(exp=None)),
    "no subject": ("malformed_authorization", lambda issuer: issuer.token(sub=None)),
    "subject that is no text": ("malformed_authorization", lambda issuer: issuer.token(sub=7)),
    "no token": ("malformed_authorization", lambda issuer: "not-a-token"),
    "two parts": ("malformed_authorization", lambda issuer: issuer.token().rpartition(".")[0]),
    "key id that is no text": ("malformed_authorization", lambda issuer: issuer.by_hand({"alg": "RS256", "kid": 7}, b"x")),
    "deep header": ("malformed_authorization", lambda issuer: base64.urlsafe_b64encode(b"[" * 9000).decode() + ".e30.x"),
    "deep content": (
        "malformed_authorization",
        lambda issuer: issuer.token().split(".")[0] + "." + base64.urlsafe_b64encode(b"[" * 9000).decode() + ".x",
    ),
    "endless": ("malformed_authorization", lambda issuer: "x" * 20_000),
}


def _changed(token: str) -> str:
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "==")) | {"sub": "somebody-else"}
    return f"{head}.{base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b'=').decode()}.{signature}"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def gated(directory, issuer, tmp_path):
    started = []

    def start(*, clock=time.monotonic, **oidc):
        settings = OidcSettings(**{"issuer": issuer.url, "authorized_parties": (PARTY,), **oidc})
        started.append(GatedServer(directory, tmp_path, auth="oidc", oidc=settings, provider=Provider(settings, clock=clock)))
        return started[-1]

    yield start
    for server in started:
        server.stop()


def ask(server, token):
    return server.client(Authorization=f"Bearer {token}").get("/api/v1/x")


def test_a_token_of_clerks_shape_signs_in_and_makes_the_account(gated, issuer, directory):
    answer = ask(gated(), issuer.token(name="Ada", email="ada@example.org", email_verified=True))

    who = answer.json()["who"]
    assert (who["user"], who["kind"], who["roles"]) == ("Ada", "oidc", ["owner"])
    user = directory.user_by_email("ada@example.org")
    [membership] = directory.organizations(user.id)
    assert membership.organization.name == "Ada"
    assert [workspace.name for workspace in directory.workspaces([membership.organization.id])] == ["Default"]


def test_the_same_person_keeps_one_account(gated, issuer):
    server = gated()

    first, second = ask(server, issuer.token()).json(), ask(server, issuer.token()).json()

    assert first["who"]["id"] == second["who"]["id"]
    assert ask(server, issuer.token(sub="user_other")).json()["who"]["id"] != first["who"]["id"]


@pytest.mark.parametrize("case", BAD)
def test_each_bad_token_gets_its_clear_error(gated, issuer, case, directory):
    code, make = BAD[case]
    token = make(issuer)

    answer = ask(gated(), token)

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == code
    assert token not in answer.text
    assert len(answer.json()["error"]["message"]) > 30
    assert directory.store.query("SELECT count(*) FROM users WHERE subject LIKE 'http%'").rows == [(0,)]


def test_the_servers_own_token_does_not_open_it(gated):
    assert ask(gated(), "the-token-of-the-tests").json()["error"]["code"] == "malformed_authorization"


@pytest.mark.parametrize(
    ("settings", "claims", "status"),
    [
        ({"audience": ("nbflow",), "authorized_parties": ()}, {"aud": "nbflow", "azp": None}, 200),
        ({"audience": ("nbflow",), "authorized_parties": ()}, {"aud": ["other", "nbflow"], "azp": "anybody"}, 200),
        ({"audience": ("nbflow",), "authorized_parties": ()}, {"aud": "other", "azp": "nbflow"}, 401),
        ({"audience": ("nbflow",)}, {"aud": "other"}, 401),
        ({"audience": ("nbflow",)}, {"aud": "nbflow", "azp": "https://evil.example"}, 401),
        ({"client_id": "nbflow", "authorized_parties": ()}, {"aud": "nbflow", "azp": "nbflow"}, 200),
        ({"client_id": "nbflow", "authorized_parties": ()}, {"aud": "account", "azp": "nbflow"}, 401),
        ({"client_id": "nbflow"}, {"aud": "nbflow", "azp": "nbflow"}, 200),
        ({"client_id": "nbflow"}, {"aud": None}, 200),
    ],
)
def test_audience_or_party_must_name_this_server(gated, issuer, settings, claims, status):
    assert ask(gated(**settings), issuer.token(**claims)).status_code == status


def test_the_slash_at_the_end_of_an_issuer_makes_no_difference(gated, issuer):
    assert ask(gated(issuer=f"{issuer.url}/"), issuer.token()).status_code == 200


def test_elliptic_keys_are_taken_too(gated, issuer):
    issuer.rotate("curve", kind="EC")

    assert ask(gated(), issuer.token(algorithm="ES256")).status_code == 200


def test_a_key_for_encryption_signs_nothing(gated, issuer):
    issuer.add("sealed", use="enc")

    assert ask(gated(), issuer.token(kid="sealed")).json()["error"]["code"] == "wrong_algorithm"


def test_a_weak_key_is_refused(gated, issuer):
    from jwt.algorithms import RSAAlgorithm

    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    issuer.published["weak"] = {**RSAAlgorithm.to_jwk(weak.public_key(), as_dict=True), "kid": "weak"}

    with pytest.warns(match="key"):
        token = issuer.token(kid="weak", key=weak)

    assert ask(gated(), token).json()["error"]["code"] == "wrong_algorithm"


# Keys -----------------------------------------------------------------------------------------------


def test_a_rotated_key_works_at_once_and_the_old_one_no_more(gated, issuer):
    clock = Clock()
    server, old = gated(clock=clock), issuer.token()
    assert ask(server, old).status_code == 200

    issuer.rotate("second")
    clock.now += COOLDOWN_S

    assert ask(server, issuer.token()).status_code == 200
    assert ask(server, old).json()["error"]["code"] == "unknown_signing_key"


def test_tokens_with_unknown_keys_cannot_make_the_server_ask_again_and_again(gated, issuer):
    server = gated()
    assert ask(server, issuer.token()).status_code == 200

    for number in range(20):
        assert ask(server, issuer.by_hand({"alg": "RS256", "kid": f"unknown-{number}"}, b"x")).status_code == 401

    assert issuer.asked["/jwks"] == 1


def test_while_the_provider_is_away_nobody_new_comes_in_and_the_answer_says_why(gated, issuer):
    issuer.away = True

    answer = ask(gated(), issuer.token())

    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    assert answer.json()["error"]["code"] == "identity_provider"
    assert issuer.url in answer.json()["error"]["message"]


def test_while_the_provider_is_away_known_keys_still_do(gated, issuer):
    server = gated()
    assert ask(server, issuer.token()).status_code == 200

    issuer.away = True

    assert ask(server, issuer.token(sub="somebody-new")).status_code == 200


def test_a_discovery_document_that_speaks_for_another_issuer_is_not_believed(gated, issuer):
    issuer.claimed = "https://evil.example"

    answer = ask(gated(), issuer.token())

    assert answer.status_code == 503
    assert "evil.example" in answer.json()["error"]["message"]
    assert issuer.asked["/jwks"] == 0


def test_keys_over_plain_http_are_not_fetched_from_elsewhere(gated, issuer):
    issuer.documents["/.well-known/openid-configuration"] = lambda: {"issuer": issuer.url, "jwks_uri": "http://keys.example/jwks"}

    assert "https" in ask(gated(), issuer.token()).json()["error"]["message"]


# Who is let in --------------------------------------------------------------------------------------


def test_an_address_that_is_not_verified_is_not_kept(gated, issuer, directory):
    home = directory.default()
    directory.invite(home.organization.id, "ada@example.org", Role.ADMIN)

    found = ask(gated(), issuer.token(email="ada@example.org", email_verified=False)).json()["who"]

    assert found["roles"] == ["owner"]  # of an organization of their own, not admin of the one that invited the true Ada
    assert directory.store.query("SELECT count(*) FROM users WHERE email IS NOT NULL").rows == [(1,)]


def test_whoever_was_invited_by_a_verified_address_is_the_member(gated, issuer, directory):
    home = directory.default()
    directory.invite(home.organization.id, "Ada@example.org", Role.VIEWER)

    found = ask(gated(), issuer.token(email="ada@example.org", email_verified=True)).json()["who"]

    assert found["roles"] == ["viewer"]


def test_owners_of_the_default_organization_are_named_in_the_settings(gated, issuer, directory):
    ask(gated(owners=("ada@example.org",)), issuer.token(email="ada@example.org", email_verified=True))

    home = directory.default()
    assert sorted(member.user.subject or "" for member in directory.members(home.organization.id)) == sorted(["local", f"{issuer.url}|user_2abc"])


@pytest.mark.parametrize(
    ("allowed", "status"),
    [(("ada@example.org",), 200), (("@example.org",), 200), (("user_2abc",), 200), (("bob@example.org", "@example.com"), 403)],
)
def test_only_those_who_are_admitted_come_in(gated, issuer, allowed, status):
    answer = ask(gated(allowed_users=allowed), issuer.token(email="ada@example.org", email_verified=True))

    assert answer.status_code == status
    if status == 403:
        assert answer.json()["error"]["code"] == "not_admitted"


def test_an_unverified_address_admits_nobody(gated, issuer):
    assert ask(gated(allowed_users=("@example.org",)), issuer.token(email="ada@example.org")).status_code == 403


# Fetched documents ----------------------------------------------------------------------------------


@pytest.fixture
async def fetched(issuer):
    clock = Clock()
    async with httpx.AsyncClient(timeout=5) as client:
        document = Fetched(client, f"{issuer.url}/jwks", clock=clock)
        yield document, clock


async def test_a_document_is_fetched_again_when_it_is_old(fetched, issuer):
    document, clock = fetched
    await document.get()
    clock.now += FRESH_S - 1
    await document.get()
    assert issuer.asked["/jwks"] == 1

    clock.now += 2
    await document.get()
    assert issuer.asked["/jwks"] == 2


async def test_an_old_document_does_for_a_day_while_the_provider_is_away(fetched, issuer):
    document, clock = fetched
    await document.get()
    issuer.away = True

    clock.now += STALE_S - 1
    assert await document.get()

    clock.now += 10
    with pytest.raises(IdentityProviderError, match="cannot be reached"):
        await document.get()


async def test_all_who_wait_for_a_document_share_one_request(fetched, issuer):
    import asyncio

    document, _ = fetched
    await asyncio.gather(*(document.get() for _ in range(50)))

    assert issuer.asked["/jwks"] == 1


async def test_a_dead_provider_is_not_asked_for_every_request(fetched, issuer):
    document, clock = fetched
    issuer.away = True
    for _ in range(10):
        with pytest.raises(IdentityProviderError):
            await document.get()
    assert issuer.asked["/jwks"] == 1

    issuer.away = False
    clock.now += 6
    assert (await document.get())["keys"]


async def test_something_missing_is_looked_for_once_in_each_half_minute(fetched, issuer):
    document, clock = fetched
    await document.get()
    clock.now += COOLDOWN_S - 1
    await document.newer()
    assert issuer.asked["/jwks"] == 1

    clock.now += 2
    await document.newer()
    await document.newer()
    assert issuer.asked["/jwks"] == 2


async def test_what_is_no_json_object_is_not_a_document(fetched, issuer):
    document, _ = fetched
    issuer.documents["/jwks"] = lambda: [1, 2]

    with pytest.raises(IdentityProviderError, match="no JSON object"):
        await document.get()
