"""Rules between directives: what each one allows by itself, but the server refuses or gives up on together."""

Series = tuple[int, int]
Rows = dict[str, list[list[str]]]


def wrong_together(config: Rows, series: Series) -> list[tuple[str, str]]:
    """Directive and sentence for each broken rule. Only directives that are fine by themselves are here."""
    return [*_users(config), *_cluster(config, series), *_ports(config), *_tls(config), *_threads(config, series)]


def _last(config: Rows, name: str, default: str = "") -> str:
    """The value that counts: the server takes the last line."""
    rows = config.get(name)
    return rows[-1][0] if rows and rows[-1] else default


def _is(config: Rows, name: str) -> bool:
    return _last(config, name, "no").lower() == "yes"


def _number(config: Rows, name: str, default: int = 0) -> int:
    return int(_last(config, name, str(default)))


def _users(config: Rows) -> list[tuple[str, str]]:
    both = config.get("user") and _last(config, "aclfile")
    return [("aclfile", "does not go with user: the server takes its users from one of them only")] if both else []


def _cluster(config: Rows, series: Series) -> list[tuple[str, str]]:
    if not _is(config, "cluster-enabled"):
        return []
    out = []
    if "replicaof" in config:
        out.append(("replicaof", "does not go with cluster-enabled; a cluster decides itself who is a replica"))
    tls = _is(config, "tls-cluster")
    port = _number(config, "tls-port") if tls else _number(config, "port", 6379)
    if not _number(config, "cluster-port") and port > 55535:
        out.append(
            (
                "tls-port" if tls else "port",
                "must be at most 55535 in a cluster, or cluster-port must be set: "
                "the cluster's own port is 10000 higher",
            )
        )
    if config.get("bind") == [[""]] and series >= (7, 0):
        out.append(("bind", "must name an address in a cluster"))
    return out


def _ports(config: Rows) -> list[tuple[str, str]]:
    ports = {name: _number(config, name, 6379 if name == "port" else 0) for name in ("port", "tls-port")}
    if not any(ports.values()) and not _last(config, "unixsocket"):
        return [("port", "must not be 0 without tls-port or unixsocket: nothing would listen")]
    if config.get("bind") == [[""]] and not _last(config, "unixsocket"):
        return [("bind", "must not be empty without unixsocket: nothing would listen")]
    if ports["port"] and ports["port"] == ports["tls-port"]:
        return [("tls-port", f"is {ports['port']}, which is the port without TLS")]
    return []


def _tls(config: Rows) -> list[tuple[str, str]]:
    """Certificates that a server with TLS does not start without."""
    own = _is(config, "tls-cluster") or _is(config, "tls-replication")
    reason = next(
        (name for name in ("tls-cluster", "tls-replication") if _is(config, name)),
        "tls-port" if _number(config, "tls-port") else "",
    )
    if not reason:
        return []
    out = [(reason, f"needs {name}") for name in ("tls-cert-file", "tls-key-file") if not _last(config, name)]
    peers = own or _last(config, "tls-auth-clients", "yes").lower() != "no"
    if peers and not (_last(config, "tls-ca-cert-file") or _last(config, "tls-ca-cert-dir")):
        out.append((reason, "needs tls-ca-cert-file or tls-ca-cert-dir"))
    return out


def _threads(config: Rows, series: Series) -> list[tuple[str, str]]:
    """Since 8.0 each thread takes three of the open files that the server plans for: 128 more than its clients."""
    threads, clients = _number(config, "io-threads", 1), _number(config, "maxclients", 10000)
    if series < (8, 0) or threads == 1 or 3 * threads <= clients + 64:
        return []
    return [("maxclients", f"must be at least {3 * threads - 64} with {threads} io-threads")]
