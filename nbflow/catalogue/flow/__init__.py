"""Nodes about the flow itself and whoever waits for it."""
