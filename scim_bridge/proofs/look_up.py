"""Look for a proof; whatever cannot be looked at is unknown, which is not the same as missing."""

from collections.abc import Sequence

import dns.exception
import dns.resolver
import urllib3

from scim_bridge.domain.domain_proofs import FILE_PATH, Found, dns_name
from scim_bridge.settings import Settings

DNS_SECONDS = 10.0
FILE_SECONDS = 10.0
LARGEST = 4096


def look(settings: Settings, domain: str, value: str) -> Found:
    """Look for a value in the DNS, and then in the file; says where it was found."""
    in_dns = _in_dns(settings.dns_servers.split(), domain, value)
    if in_dns is Found.DNS:
        return in_dns
    in_file = _in_file(domain, value)
    if in_file is Found.FILE:
        return in_file
    return Found.UNKNOWN if Found.UNKNOWN in (in_dns, in_file) and in_dns is not Found.NOWHERE else Found.NOWHERE


def _in_dns(servers: Sequence[str], domain: str, value: str) -> Found:
    try:
        answer = _resolver(servers).resolve(dns_name(domain), "TXT", lifetime=DNS_SECONDS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return Found.NOWHERE
    except (dns.exception.DNSException, OSError):
        return Found.UNKNOWN
    texts = (b"".join(record.strings) for record in answer)
    return Found.DNS if value.encode() in {each.strip() for each in texts} else Found.NOWHERE


def _resolver(servers: Sequence[str]) -> dns.resolver.Resolver:
    if not servers:
        return dns.resolver.Resolver()
    resolver = dns.resolver.Resolver(configure=False)
    host, _, port = servers[0].rpartition(":")
    resolver.port = int(port)
    resolver.nameservers = [host.strip("[]"), *(each.rpartition(":")[0].strip("[]") for each in servers[1:])]
    return resolver


def _in_file(domain: str, value: str) -> Found:
    # The certificate says whose server it is; a redirect would lead to another one.
    with urllib3.PoolManager(timeout=FILE_SECONDS, retries=False) as pool:
        try:
            answer = pool.request("GET", f"https://{domain}{FILE_PATH}", redirect=False, preload_content=False)
            text = answer.read(LARGEST, decode_content=True)
            answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError):
            return Found.UNKNOWN
    lines = {line.strip() for line in text.splitlines()} if answer.status == 200 else set()
    return Found.FILE if value.encode() in lines else Found.NOWHERE
