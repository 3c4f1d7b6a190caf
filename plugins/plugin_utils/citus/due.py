"""What a run has to do on a node of Citus, by what the inventory says and what the node has. Pure."""


def wrongly_held(installed, names, hold):
    """Return those of the packages that are on hold and should not be, or the other way round."""
    return [name for name, each in installed.items() if name in names and each["hold"] != hold]


def apt_differs(installed, apt):
    """Whether a package is missing or wrongly held; `apt` is {packages, held, hold}."""
    missing = any(name not in installed for name in apt["packages"])
    return missing or bool(wrongly_held(installed, apt["held"], apt["hold"]))


def database_differs(database, role, observers):
    """Whether the database, its role, its extension or a role that only reads statistics has to be made."""
    if any(name not in database.get("observers", []) for name in observers):
        return True
    owner, found = database["owner"], database["role"]
    whole = database["exists"] and owner == role and found and found["login"] and found["password"]
    return not (whole and database["extensions"].get("citus", {}).get("has"))


def is_due(observed, args):
    """Whether a run has something to do on the node, or as its coordinator on the others.

    `args` is {state, start_file, apt, role, observers}.
    """
    node = observed["node"]
    if args["state"] == "absent":
        differs = args["start_file"] in node["facts"]["files"]
    else:
        differs = (
            node["differs"]
            or node["tls"]["why"] != ""
            or apt_differs(node["facts"]["packages"], args["apt"])
            or database_differs(node["database"], args["role"], args["observers"])
        )
    return differs or any(observed.get(part, {}).get("differs", False) for part in ("cluster", "tables"))
