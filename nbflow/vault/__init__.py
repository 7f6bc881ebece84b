"""Credentials: kept encrypted, resolved only where they are used."""
