"""To which addresses a request may go: to none that an attacker could only reach through us.

A name is resolved once, each of its addresses is judged, and the connection goes to one
of those that passed, so that a second answer of the DNS changes nothing (rebinding).
"""

from __future__ import annotations

import socket
import threading
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from authkit import conf

_Address = IPv4Address | IPv6Address
#: Addresses of IPv6 that stand for one of IPv4 (RFC 6052, RFC 3056).
_NAT64 = ip_network("64:ff9b::/96")
#: All of IPv6 that is in use on the internet (RFC 4291 §2.4); what lies outside of it is
#: mapped, site-local, for translators of one's own, or nobody's.
_UNICAST = ip_network("2000::/3")


class AddressRefused(OSError):
    """The host has no address to which a request may go."""


def resolve(host: str, port: int, *, timeout: float) -> list[str]:
    """The addresses of a host to which a request may go.

    Raises:
        AddressRefused: none of them is public, or in SOCIAL_ALLOWED_NETWORKS.
        TimeoutError: the DNS did not answer within `timeout` seconds.
        OSError: there is no such host.
    """
    found = _look_up(host, port, timeout)
    allowed = [text for text in found if is_allowed(text)]
    if not allowed:
        raise AddressRefused(f"{host} has no public address")
    return allowed


def is_allowed(text: str) -> bool:
    """Whether a request may go to this address."""
    address = _plain(ip_address(text.partition("%")[0]))
    if any(address in network for network in conf.get().social_allowed_networks):
        return True
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return False
    return address.is_global and not address.is_multicast


def is_loopback(host: str) -> bool:
    """Whether a host of a URL is this machine, by its name alone."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _plain(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 address stands for."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _look_up(host: str, port: int, timeout: float) -> list[str]:
    """Ask the DNS, which knows no time limit, in a thread that nobody has to wait for."""
    outcome: list[list[str] | OSError] = []

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            outcome.append(OSError(str(error)))
        else:
            outcome.append([str(entry[4][0]) for entry in found])

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout)
    if not outcome:
        raise TimeoutError(f"the DNS does not answer for {host}")
    if isinstance(outcome[0], OSError):
        raise outcome[0]
    return list(dict.fromkeys(outcome[0]))
