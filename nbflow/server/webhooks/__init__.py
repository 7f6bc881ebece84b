"""Requests from outside that start workflows: found in the registry, proven, made durable, answered. One ASGI app: `endpoint.py`."""
