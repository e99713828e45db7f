"""Certificates for a mail server on the loopback: an own authority, a good certificate, and bad ones of each sort."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """A server's certificate and its key (PEM)."""

    cert: Path
    key: Path


@dataclass(frozen=True)
class TlsFiles:
    """`good` is for localhost and 127.0.0.1 and signed by `ca`; the others each have one fault. All in `folder`."""

    folder: Path
    ca: Path
    other_ca: Path  # has signed nothing here
    good: Pair
    expired: Pair
    not_yet: Pair
    wrong_name: Pair  # of mail.example.cn

    @property
    def cert(self) -> Path:
        return self.good.cert

    @property
    def key(self) -> Path:
        return self.good.key


class _Authority:
    def __init__(self, name: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(name)
        now = datetime.now(UTC)
        self.cert = (
            _unsigned(self.name, self.name, self.key.public_key(), now - _DAY, now + 30 * _DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_uses(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )

    def write(self, path: Path) -> Path:
        path.write_bytes(self.cert.public_bytes(serialization.Encoding.PEM))
        return path

    def pair(self, folder: Path, name: str, hosts: list[str], days: tuple[int, int]) -> Pair:
        """A server's certificate for `hosts`, valid from `days[0]` to `days[1]` from now."""
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        cert = (
            _unsigned(
                _name(hosts[0]), self.name, key.public_key(), now + days[0] * _DAY, now + days[1] * _DAY
            )
            .add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_uses(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
            .sign(self.key, hashes.SHA256())
        )
        made = Pair(folder / f"{name}.pem", folder / f"{name}.key")
        made.cert.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        made.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        made.key.chmod(0o600)
        return made


def make_tls_files(folder: Path) -> TlsFiles:
    authority, other = _Authority("test authority"), _Authority("other authority")
    here = ["localhost", "127.0.0.1"]
    return TlsFiles(
        folder=folder,
        ca=authority.write(folder / "ca.pem"),
        other_ca=other.write(folder / "other_ca.pem"),
        good=authority.pair(folder, "good", here, (-1, 10)),
        expired=authority.pair(folder, "expired", here, (-20, -10)),
        not_yet=authority.pair(folder, "not_yet", here, (10, 20)),
        wrong_name=authority.pair(folder, "wrong_name", ["mail.example.cn"], (-1, 10)),
    )


def _unsigned(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    begins: datetime,
    ends: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _uses(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
