"""Workflows: the stored records of flows, and how a flow becomes one."""
