"""Certificates for the fake API server and its clients, by an authority of the test's own."""

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

LOOPBACK = x509.IPAddress(ip_address("127.0.0.1"))


class Authority:
    """Signs for an hour, or for one that is over."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("the test's authority")
        usage = x509.BasicConstraints(ca=True, path_length=None)
        self._certificate = (
            self._begin(self._name, self._key, timedelta(hours=1))
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = self._certificate.public_bytes(Encoding.PEM).decode()

    def server(
        self, *names: x509.GeneralName, ends_in: timedelta = timedelta(hours=1), asks_for_clients: bool = False
    ) -> ssl.SSLContext:
        """Return what a server of these names presents itself with."""
        certificate, key = self.sign("server", *(names or (LOOPBACK,)), ends_in=ends_in)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "pair.pem")
            file.write_text(certificate + key)
            context.load_cert_chain(file)
        if asks_for_clients:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.load_verify_locations(cadata=self.pem)
        return context

    def sign(self, name: str, *names: x509.GeneralName, ends_in: timedelta = timedelta(hours=1)) -> tuple[str, str]:
        """Return a certificate and its key, as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        unsigned = self._begin(_named(name), key, ends_in)
        if names:
            unsigned = unsigned.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = unsigned.sign(self._key, hashes.SHA256())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return certificate.public_bytes(Encoding.PEM).decode(), pem.decode()

    def _begin(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, ends_in: timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(now + ends_in)
        )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
