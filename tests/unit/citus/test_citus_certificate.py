"""Why a node's certificate is due, asked of the real openssl with certificates made here."""

import datetime
import ipaddress

import pytest
from ansible_collections.cistern.core.plugins.module_utils.citus.server import certificate as citus_certificate
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.now(datetime.timezone.utc)
NAMES = ["10.0.0.1", "2001:db8::1", "db.example.org"]


def pem(thing):
    return thing.public_bytes(serialization.Encoding.PEM).decode()


def certificate(name, public_key, issuer, days, extensions=()):
    issuer_name, issuer_key = issuer
    builder = x509.CertificateBuilder().subject_name(named(name)).issuer_name(issuer_name)
    builder = builder.public_key(public_key).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(NOW - datetime.timedelta(days=400))
    builder = builder.not_valid_after(NOW + datetime.timedelta(days=days))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def named(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def authority(name="CA of the Citus nodes"):
    """(its name and key, its certificate)"""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = (named(name), key)
    constraints = [x509.BasicConstraints(ca=True, path_length=0)]
    return issuer, pem(certificate(name, key.public_key(), issuer, 3650, constraints))


CA, OTHER_CA = authority(), authority("another")


def alternative(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def write_key(path, key):
    encoding = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(key.private_bytes(*encoding))


@pytest.fixture
def node(tmp_path):
    """A node with a certificate that is as it is wanted, or as the arguments say; returns what the module is told."""

    def made(issuer=CA, names=NAMES, days=397):
        key = ec.generate_private_key(ec.SECP256R1())
        extensions = [x509.SubjectAlternativeName([alternative(name) for name in names])] if names else []
        signed = certificate("citus-node", key.public_key(), issuer[0], days, extensions)
        (tmp_path / "node.crt").write_text(pem(signed), encoding="utf-8")
        write_key(tmp_path / "node.key", key)
        (tmp_path / "ca.crt").write_text(CA[1], encoding="utf-8")
        paths = {"ca": "ca.crt", "certificate": "node.crt", "key": "node.key"}
        return {
            **{name: str(tmp_path / path) for name, path in paths.items()},
            "ca_content": CA[1],
            "authority": CA[1],
            "names": NAMES,
            "days_left": 30,
        }

    return made


def why(tls):
    return citus_certificate.observe(tls)["why"]


def test_a_certificate_that_is_well_is_not_due(node):
    assert citus_certificate.observe(node()) == {"trusts": True, "why": ""}


@pytest.mark.parametrize("missing", ["certificate", "key"])
def test_one_that_is_missing_is_due(node, tmp_path, missing):
    tls = node()
    tls[missing] = str(tmp_path / "none")
    assert why(tls) == "it has none"


@pytest.mark.parametrize(
    ("days", "says"), [(31, ""), (29, "its certificate ends within 30 days"), (-1, "its certificate has ended")]
)
def test_one_that_ends_is_due(node, days, says):
    assert why(node(days=days)) == says


def test_one_of_another_authority_is_due(node):
    assert why(node(issuer=OTHER_CA)) == "its certificate is of another CA"


def test_one_of_an_authority_that_is_on_its_way_out_is_due(node, tmp_path):
    """Both are trusted, and the certificate is to be of the new one."""
    tls = node(issuer=OTHER_CA)
    tls["ca_content"] = CA[1] + OTHER_CA[1]
    (tmp_path / "ca.crt").write_text(tls["ca_content"], encoding="utf-8")
    assert citus_certificate.observe(tls) == {"trusts": True, "why": "its certificate is of another CA"}


def test_one_of_an_authority_with_the_same_name_is_due(node):
    assert why(node(issuer=authority())) == "its certificate is of another CA"


def test_one_whose_authority_is_gone_is_due(node):
    assert why({**node(), "authority": ""}) == citus_certificate.LOST


def test_one_of_an_intermediate_authority_is_well(node):
    """The operator's own CA, signed by a root that the controller does not have."""
    key, root = ec.generate_private_key(ec.SECP256R1()), authority("root")
    constraints = [x509.BasicConstraints(ca=True, path_length=0)]
    between = pem(certificate("between", key.public_key(), root[0], 3650, constraints))
    assert why({**node(issuer=((named("between"), key), between)), "authority": between}) == ""


@pytest.mark.parametrize("name", NAMES)
def test_one_that_lacks_a_name_is_due(node, name):
    tls = node(names=[each for each in NAMES if each != name])
    assert why(tls) == f"its certificate does not name {name}"


@pytest.mark.parametrize("name", ["10.0.0.11", "2001:db8::11", "b.example.org", "citus-node"])
def test_a_name_is_not_a_part_of_another(node, name):
    assert why({**node(), "names": [name]}) == f"its certificate does not name {name}"


@pytest.mark.parametrize("name", ["DB.example.org", "2001:db8:0::1"])
def test_a_name_may_be_spelled_otherwise(node, name):
    assert why({**node(), "names": [name]}) == ""


@pytest.mark.parametrize("text", ["", "garbage"])
def test_a_file_that_is_no_certificate_is_due(node, tmp_path, text):
    tls = node()
    (tmp_path / "node.crt").write_text(text, encoding="utf-8")
    assert why(tls)


def test_a_key_of_another_certificate_is_due(node, tmp_path):
    tls = node()
    write_key(tmp_path / "node.key", ec.generate_private_key(ec.SECP256R1()))
    assert why(tls)


@pytest.mark.parametrize("there", [None, "", OTHER_CA[1], CA[1] + OTHER_CA[1]])
def test_the_file_of_trusted_authorities_is_compared(node, tmp_path, there):
    tls = node()
    (tmp_path / "ca.crt").unlink()
    if there is not None:
        (tmp_path / "ca.crt").write_text(there, encoding="utf-8")
    assert citus_certificate.observe(tls) == {"trusts": False, "why": ""}
