"""The certificate of a node, as openssl reads it. Reads only."""

import ipaddress
import os
import subprocess
import tempfile

from ansible_collections.cistern.core.plugins.module_utils.citus.server.contract import Certificate, CertificateState

DAY = 24 * 3600
LOST = "its CA is not on the controller"


def observe(tls: Certificate) -> CertificateState:
    """Return {trusts, why}: whether the file of trusted CAs is the wanted one, and why a certificate is due, or ''."""
    return {"trusts": _read(tls["ca"]) == tls["ca_content"], "why": _due(tls)}


def _due(tls: Certificate) -> str:
    """Return why a new certificate is due, as a part of a sentence; empty where none is."""
    if not os.path.exists(tls["certificate"]) or not os.path.exists(tls["key"]):
        return "it has none"
    if not tls["authority"]:
        return LOST
    of_key = _openssl("pkey", "-pubout", "-in", tls["key"]).stdout
    if of_key != _openssl("x509", "-noout", "-pubkey", "-in", tls["certificate"]).stdout:
        # a run was killed between the two
        return "its certificate is of another key"
    # not by the CA of now: one that is trusted beside it is on its way out
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".crt") as authority:
        authority.write(tls["authority"])
        authority.flush()
        if _openssl("verify", "-CAfile", authority.name, "-partial_chain", tls["certificate"]).returncode:
            ends = _openssl("x509", "-noout", "-checkend", "0", "-in", tls["certificate"]).returncode
            return "its certificate has ended" if ends else "its certificate is of another CA"
    if _openssl("x509", "-noout", "-checkend", str(tls["days_left"] * DAY), "-in", tls["certificate"]).returncode:
        return f"its certificate ends within {tls['days_left']} days"
    for name in tls["names"]:
        option = "-checkip" if _is_address(name) else "-checkhost"
        if "does match" not in _openssl("x509", "-noout", option, name, "-in", tls["certificate"]).stdout:
            return f"its certificate does not name {name}"
    return ""


def _is_address(name):
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _openssl(*words):
    return subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
