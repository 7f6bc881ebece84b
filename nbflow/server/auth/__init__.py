"""Signing in: the server's own token, API keys, an OpenID Connect provider, and the session that a browser gets for any of them."""
