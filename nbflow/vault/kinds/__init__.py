"""The kinds of credentials there are; importing this declares them."""

from nbflow.vault.kind import KINDS
from nbflow.vault.kinds import ai, cloud, databases, documents, generic, http, mail, messaging, signing

__all__ = ["KINDS", "ai", "cloud", "databases", "documents", "generic", "http", "mail", "messaging", "signing"]
