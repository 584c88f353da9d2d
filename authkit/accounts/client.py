"""From where a request comes, as far as that can be believed."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from django.http import HttpRequest

from authkit import conf
from authkit.kernel.client import NOBODY, Client

_Address = IPv4Address | IPv6Address


def client_of(request: HttpRequest | None) -> Client:
    """Address and browser of a request. `X-Forwarded-For` counts only from TRUSTED_PROXIES."""
    if request is None:
        return NOBODY
    address = _address_of(request)
    user_agent = str(request.META.get("HTTP_USER_AGENT", ""))
    printable = "".join(c for c in user_agent if c.isprintable())
    return Client(ip=None if address is None else str(address), user_agent=printable[:300])


def network_of(ip: str | None) -> str:
    """What is limited as one address: whoever has one of IPv6 has its whole /64 (RFC 6177)."""
    address = _parse(ip)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False))
    return "" if address is None else str(address)


def _address_of(request: HttpRequest) -> _Address | None:
    peer = _parse(request.META.get("REMOTE_ADDR"))
    if peer is None or not _is_trusted(peer):
        return peer
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", ""))
    nearest = peer
    for text in reversed(forwarded.split(",")):
        address = _parse(text)
        if address is None:  # what cannot be read, nobody trusted has written
            return nearest
        if not _is_trusted(address):
            return address
        nearest = address
    return nearest


def _is_trusted(address: _Address) -> bool:
    return any(address in network for network in conf.get().trusted_proxies)


def _parse(text: object) -> _Address | None:
    try:
        address = ip_address(str(text).strip())
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        return IPv6Address(int(address))  # without a zone id, which no database holds
    return address
