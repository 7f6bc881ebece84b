"""The server's own token, for one person."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from nbflow.core.errors import WrongTokenError

if TYPE_CHECKING:
    from pydantic import SecretStr

QUERY = "nbflow_token"
"""The query parameter of the address that is printed. Not `token`: that is Jupyter's own, whose proxy would take it."""


def check_token(given: str, token: SecretStr) -> None:
    """Raises WrongTokenError. Takes equally long wherever the first wrong character is."""
    if not hmac.compare_digest(given.encode(), token.get_secret_value().encode()):
        msg = "this is not the server's token: `nbflow serve` printed the right one when it started"
        raise WrongTokenError(msg)
