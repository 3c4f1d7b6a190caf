"""Which hosts site.yml goes on with, after all machines have told what differs. Pure."""

# A pattern of Ansible that matches no host.
NOBODY = "all:!all"


def due(hosts):
    """Return the names of hosts on whose machine, in whose deployment or whose cluster a run has something to do.

    `hosts` are {name: {due, shares}}: whether something differs there, and what it has in common with others: its
    machine, its deployment, its cluster. What one role changes there may be what another one has to see.
    """
    found = {name for name, host in hosts.items() if host["due"]}
    while True:
        shared = {each for name in found for each in hosts[name]["shares"]}
        more = {name for name, host in hosts.items() if shared & set(host["shares"])}
        if more <= found:
            return [name for name in hosts if name in found]
        found |= more
