"""Branches, joins, waits and loops."""
