"""Certificates that a test shows to a node, made on this machine and gone with their folder."""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HOUR = datetime.timedelta(hours=1)
NODE = "citus-node"


class Authority:
    """A CA that signs: one of a folder, or one that nobody knows."""

    def __init__(self, key, certificate):
        self.key, self.certificate = key, certificate

    @classmethod
    def of_folder(cls, folder, passphrase):
        """Return the CA whose key lies there, or None where it is kept elsewhere."""
        key, certificate = Path(folder, "ca.key"), Path(folder, "ca.crt")
        if not key.is_file() or not certificate.is_file():
            return None
        secret = passphrase.encode() if passphrase else None
        return cls(
            serialization.load_pem_private_key(key.read_bytes(), secret),
            x509.load_pem_x509_certificate(certificate.read_bytes()),
        )

    @classmethod
    def unknown(cls):
        """Return one of the same name as that of the role, and of another key."""
        key, name = ec.generate_private_key(ec.SECP256R1()), _name("CA of the Citus nodes")
        return cls(key, _built(name, name, key.public_key(), -HOUR, HOUR, True).sign(key, hashes.SHA256()))

    def certificate_for(self, folder, name=NODE, since=-HOUR, until=HOUR):
        """Return what libpq takes to show a certificate of this name that holds from and to those times from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _built(_name(name), self.certificate.subject, key.public_key(), since, until, False)
        Path(folder).mkdir()
        crt, pem = Path(folder, "client.crt"), Path(folder, "client.key")
        crt.write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        pem.touch(mode=0o600)
        pem.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return {"sslcert": str(crt), "sslkey": str(pem)}


def _name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _built(subject, issuer, key, since, until, signs):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + since)
        .not_valid_after(now + until)
        .add_extension(x509.BasicConstraints(ca=signs, path_length=None), critical=True)
    )
