"""Local users of a server: what is ours, what differs, what stands in the file."""

import pytest
from ansible_collections.cistern.core.plugins.module_utils.redis import users as redis_users

USERS = [{"name": "cistern-a", "rules": "+ping +info", "path": "/nowhere"}]


def test_others_are_not_ours():
    assert redis_users.ours(["default", "app", "cistern-b"], USERS) == ["cistern-a", "cistern-b"]


def test_the_line_has_the_digest(tmp_path):
    path = tmp_path / "password"
    path.write_text("sesame\n")
    digest = "d0c04f4b1951e4aeaaec8223ed2039e542f3aae805a6fa7f6d794e5afff5d272"
    [user] = [{**user, "path": str(path)} for user in USERS]
    assert redis_users.line(user) == f"user cistern-a on #{digest} +ping +info"
    assert redis_users.in_file("port 1\n" + redis_users.line(user)) == {
        "cistern-a": ["on", "#" + digest, "+ping", "+info"]
    }


class Server:
    """Answers ACL LIST in another order than it was told, as a server does."""

    lines = [
        "user default on nopass ~* &* +@all",
        "user cistern-a on sanitize-payload #1 resetchannels -@all +info +ping",
    ]

    def execute_command(self, *words):
        return self.lines if words == ("ACL", "LIST") else None


@pytest.mark.parametrize(
    "wanted, steps",
    [
        ("#1 +info +ping -@all on resetchannels", []),
        ("#1 +ping -@all on resetchannels", [{"do": "user", "name": "cistern-a"}]),
        ("", [{"do": "remove user", "name": "cistern-a"}]),
    ],
)
def test_the_order_of_commands_is_no_difference(wanted, steps):
    running = {redis_users.KEY + name: text for name, text in redis_users.of_server(Server()).items()}
    assert redis_users.differ({redis_users.KEY + "cistern-a": wanted, "maxmemory": "1"}, running) == steps
