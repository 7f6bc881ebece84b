"""Signing in and out by browser: `/login`, `/login/start` and `/login/callback` (OpenID Connect), `/logout`."""

from __future__ import annotations

import hmac
import re
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlsplit

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.responses import HTMLResponse, RedirectResponse, Response

from nbflow.core.errors import (
    ForgedTokenError,
    IdentityProviderError,
    InactiveUserError,
    NotAdmittedError,
    SessionEndedError,
    SignInError,
    TooManyAttemptsError,
    WrongTokenError,
)
from nbflow.server.auth import page, place
from nbflow.server.auth.origin import check_origin, known_origins
from nbflow.server.auth.token import check_token

if TYPE_CHECKING:
    from starlette.requests import Request

    from nbflow.accounts.user import Identity
    from nbflow.server.auth.authenticator import Authenticator
    from nbflow.server.principal import Principal

PATHS = frozenset({"/login", "/login/start", "/login/callback", "/logout"})
_ATTEMPT = "-sign-in"  # the cookie of one attempt is named like the session's, with this behind it
_ATTEMPT_S = 600
_WHY = {
    "wrong_token": "this is not the server's token. It may be that of an earlier start.",
    "session_ended": "your session is over: sign in again.",
    "inactive_user": "your account was switched off here: ask an owner or admin of your organization.",
    "too_many_attempts": "too many wrong tokens: wait a minute, then try again.",
}
_FORM_BYTES = 16_384


class Login:
    """The pages, for one server."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self._settings = authenticator.settings
        self._known = known_origins(self._settings)
        self._limit = parse(self._settings.sign_in_rate_limit)
        self._attempts = MovingWindowRateLimiter(MemoryStorage())

    async def answer(self, request: Request, path: str, principal: Principal | None) -> Response:
        """The page at one of `PATHS`. Raises ForeignOriginError for a form that another site sent."""
        if path == "/logout":
            return await self._sign_out(request, principal)
        if path == "/login/start" and self._by_provider:
            return await self._start(request)
        if path == "/login/callback" and self._by_provider:
            return await self._callback(request)
        if path != "/login":
            return see_other("../login")
        if request.method == "POST" and self._settings.auth == "token":
            return await self._submitted(request)
        next_ = request.query_params.get("next", "")
        if principal is not None:
            return see_other(place.safe(next_))
        return self._page(next_, _WHY.get(request.query_params.get("why", ""), ""))

    async def by_address(self, request: Request, token: str) -> Response:
        """For the address that `nbflow serve` prints: signs in and goes to the same page without the token in it."""
        up = place.upward(place.route_path(request.scope))
        try:
            value = await self._with_token(request, token)
        except SignInError as error:
            return see_other(f"{up}login?{login_query(place.here(request.scope), error)}")
        return self._signed_in(request, value, place.same_page(request.scope))

    # With the server's token ------------------------------------------------------------------------

    async def _submitted(self, request: Request) -> Response:
        check_origin(request.headers, self._known)
        if int(request.headers.get("content-length", _FORM_BYTES + 1)) > _FORM_BYTES:
            return self._page("", "the form was too large.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
        token, next_ = form.get("token", "").strip(), form.get("next", "")
        try:
            value = await self._with_token(request, token)
        except TooManyAttemptsError:
            return self._page(next_, _WHY["too_many_attempts"], HTTPStatus.TOO_MANY_REQUESTS)
        except SignInError:
            return self._page(next_, _WHY["wrong_token"], HTTPStatus.UNAUTHORIZED)
        return self._signed_in(request, value, place.safe(next_))

    async def _with_token(self, request: Request, token: str) -> str:
        """The cookie for whoever has the token. Raises WrongTokenError, TooManyAttemptsError."""
        address = _address(request) or "somewhere"
        if not self._attempts.test(self._limit, address):
            msg = f"too many wrong tokens from {address}: try again in a minute"
            raise TooManyAttemptsError(msg)
        try:
            check_token(token, self._settings.token)
        except WrongTokenError:
            self._attempts.hit(self._limit, address)
            raise
        principal = await self._authenticator.bearer(token, address)
        return await self._authenticator.sign_in(principal, address)

    # With an identity provider ----------------------------------------------------------------------

    @property
    def _by_provider(self) -> bool:
        return self._settings.auth == "oidc" and bool(self._settings.oidc.client_id)

    async def _start(self, request: Request) -> Response:
        attempt = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        attempt["redirect_uri"] = self._callback_url(request)
        try:
            url = await self._authenticator.provider.sign_in_url(**attempt)
        except IdentityProviderError as error:
            return self._trouble(error)
        attempt["next"] = request.query_params.get("next", "")[:2000]
        answer = see_other(url)
        self._set_cookie(request, answer, _ATTEMPT, self._authenticator.sessions.seal(attempt), _ATTEMPT_S)
        return answer

    async def _callback(self, request: Request) -> Response:
        sealed = request.cookies.get(self._authenticator.sessions.name + _ATTEMPT, "")
        attempt = self._authenticator.sessions.unseal(sealed, _ATTEMPT_S)
        try:
            identity = await self._redeemed(attempt, request)
            principal = await self._authenticator.identified(identity, _address(request))
            value = await self._authenticator.sign_in(principal, _address(request))
        except (SignInError, IdentityProviderError) as error:
            answer = self._trouble(error)
        else:
            answer = self._signed_in(request, value, "." + place.safe(attempt["next"]))
        self._drop_cookie(request, answer, _ATTEMPT)
        return answer

    async def _redeemed(self, attempt: Any, request: Request) -> Identity:
        """Who has come back from the provider. Raises SignInError, IdentityProviderError."""
        given = request.query_params
        begun_here = isinstance(attempt, dict)
        if begun_here and "state" not in given and re.fullmatch("[a-z_]{1,40}", given.get("error", "")):  # some forget the state when they refuse
            msg = f"the identity provider did not sign you in: {given['error']}"
            raise SignInError(msg)
        if not begun_here or not hmac.compare_digest(given.get("state", "").encode(), attempt["state"].encode()):
            msg = "this sign-in was not begun in this browser, or more than ten minutes ago: start again"
            raise ForgedTokenError(msg)
        if "code" not in given:
            told = given.get("error_description") or given.get("error") or "no reason given"
            msg = f"the identity provider did not sign you in: {told[:300]}"
            raise SignInError(msg)
        secrets_of_attempt = {name: attempt[name] for name in ("redirect_uri", "nonce", "verifier")}
        return await self._authenticator.provider.redeem(given["code"], **secrets_of_attempt)

    def _callback_url(self, request: Request) -> str:
        """Absolute, as registered at the provider: from `base_url` when that is a whole address, else as this browser sees the server."""
        if self._settings.public_url is not None:
            return f"{self._settings.public_url}/login/callback"
        path = place.cookie_path(request.headers, self._settings).rstrip("/")
        return f"{request.url.scheme}://{request.url.netloc}{path}/login/callback"

    # Both -------------------------------------------------------------------------------------------

    async def _sign_out(self, request: Request, principal: Principal | None) -> Response:
        if request.method != "POST":
            return see_other(_LOGIN)
        check_origin(request.headers, self._known)
        if principal is not None:
            await self._authenticator.sign_out(principal, _address(request))
        answer: Response = HTMLResponse(page.signed_out_page(_LOGIN), headers=self._headers)
        self._drop_cookie(request, answer)
        return answer

    def _signed_in(self, request: Request, value: str, next_: str) -> Response:
        answer = see_other(next_)
        self._set_cookie(request, answer, "", value, self._authenticator.sessions.max_age_s)
        return answer

    def _page(self, next_: str, alert: str, status: int = HTTPStatus.OK) -> Response:
        if self._settings.auth == "token":
            text = page.token_page(next_, alert)
        elif self._by_provider:
            text = page.provider_page(f"login/start?next={quote(next_, safe='')}", _name_of(self._settings.oidc.issuer), alert)
        else:
            text = page.no_client_page(alert)
        return HTMLResponse(text, status_code=status, headers=self._headers)

    def _trouble(self, error: SignInError | IdentityProviderError) -> Response:
        away = isinstance(error, IdentityProviderError)
        refused = isinstance(error, NotAdmittedError | InactiveUserError)
        status = HTTPStatus.SERVICE_UNAVAILABLE if away else HTTPStatus.FORBIDDEN if refused else HTTPStatus.UNAUTHORIZED
        title = "The identity provider is away" if away else "You are not admitted here" if refused else "That did not work"
        return HTMLResponse(page.trouble_page(title, str(error), "../login"), status_code=status, headers=self._headers)

    @property
    def _headers(self) -> dict[str, str]:
        return page.headers(self._settings.allowed_origins)

    def _set_cookie(self, request: Request, answer: Response, kind: str, value: str, max_age_s: int) -> None:
        answer.set_cookie(self._authenticator.sessions.name + kind, value, max_age=max_age_s, **self._cookie(request))

    def _drop_cookie(self, request: Request, answer: Response, kind: str = "") -> None:
        answer.delete_cookie(self._authenticator.sessions.name + kind, **self._cookie(request))

    def _cookie(self, request: Request) -> dict[str, Any]:
        """No script reads it, no other site's form sends it; Lax and not Strict, or coming back from the provider would look signed out."""
        secure = request.url.scheme == "https" if self._settings.cookie_secure is None else self._settings.cookie_secure
        return {"path": place.cookie_path(request.headers, self._settings), "httponly": True, "samesite": "lax", "secure": secure}


_LOGIN = "login"


def login_query(next_: str, error: SignInError | None = None) -> str:
    """The query of the sign-in page: where to go then, and why one has to sign in."""
    codes: dict[type[SignInError], str] = {
        WrongTokenError: "wrong_token",
        SessionEndedError: "session_ended",
        InactiveUserError: "inactive_user",
        TooManyAttemptsError: "too_many_attempts",
    }
    why = f"&why={codes[type(error)]}" if error is not None and type(error) in codes else ""
    return f"next={quote(next_, safe='')}{why}"


def see_other(url: str) -> Response:
    """Go there, with GET, and tell nobody where from."""
    return RedirectResponse(url, status_code=HTTPStatus.SEE_OTHER, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def _address(request: Request) -> str | None:
    return request.client.host if request.client else None


def _name_of(issuer: str) -> str:
    return urlsplit(issuer).netloc
