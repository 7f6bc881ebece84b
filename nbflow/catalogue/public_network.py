"""A network that reaches public addresses only: the guard against requests into the house (SSRF).

The server lends its nodes a client made here; a notebook's client is an ordinary one. Each connection resolves the name once, looks at every
address and dials one that was looked at, so that neither a redirect nor a name that changes its answer (DNS rebinding) gets past.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import httpx

# The standard library's is_global calls some of these public (Python 3.11.7: 192.0.0.8, 64:ff9b:1::/48, 6to4, fec0::), hence a list of our own
# after the IANA special-purpose registries.
_BLOCKS = """
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16
    198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
    ::/96 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7 fe80::/10
    fec0::/10 ff00::/8
"""
_NOT_PUBLIC = tuple(map(ipaddress.ip_network, _BLOCKS.split()))


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet."""
    found = ipaddress.ip_address(address.partition("%")[0])
    return not any(found in block for block in _NOT_PUBLIC)


class PublicNetwork:
    """An httpcore network backend. `allow` names hosts, as written in the URL, that may be private."""

    def __init__(self, allow: Iterable[str] = ()) -> None:
        import httpcore

        self._allow = frozenset(allow)
        self._dialer = httpcore.AnyIOBackend()

    async def connect_tcp(self, host: str, port: int, **options: Any) -> Any:
        """Dials the first address of the host. Raises ConfigError when any of them is not public."""
        if host in self._allow:
            return await self._dialer.connect_tcp(host, port, **options)
        import httpcore

        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise httpcore.ConnectError(str(error)) from error
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            if not is_public(address):
                msg = f"{host} is {address}, which is not on the public internet; an administrator can allow this host"
                raise ConfigError(msg, field="url")
        return await self._dialer.connect_tcp(addresses[0], port, **options)

    async def connect_unix_socket(self, path: str, **_: Any) -> Any:
        """Always refused."""
        msg = f"a socket in the file system ({path}) is not on the public internet"
        raise ConfigError(msg, field="url")

    async def sleep(self, seconds: float) -> None:
        """As httpcore asks."""
        await asyncio.sleep(seconds)


def guarded(client: httpx.AsyncClient, allow: Iterable[str] = ()) -> httpx.AsyncClient:
    """Puts the guard into a fresh client made with `trust_env=False` (a proxy would dial for it). Gives the same client."""
    use_network(client, PublicNetwork(allow))
    return client


def use_network(client: httpx.AsyncClient, network: Any) -> None:
    """Sets what the client dials with. httpx has no public door for it (0.28); a test watches this one."""
    client._transport._pool._network_backend = network  # type: ignore[attr-defined]  # noqa: SLF001


def network_of(client: httpx.AsyncClient) -> Any:
    """What the client dials with; None for a client with a transport of its own kind."""
    pool = getattr(client._transport, "_pool", None)  # noqa: SLF001 - as above
    return getattr(pool, "_network_backend", None)
