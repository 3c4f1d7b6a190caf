"""Render the files of a role on the controller, so that one module run carries all of them to the host."""

from ansible.template import trust_as_template
from ansible_collections.cistern.core.plugins.plugin_utils.common.role_files import ROLES

SHARED = ROLES.parent / "templates"


def rendered(action, variables, files, role=None):
    """Return the files with `content`; those of a role that is not the task's own are looked for in that `role` first.

    `variables` are a common.evaluation.Variables. A file has `template` (a path below the role's templates/, which
    mirrors the host's file system) or `source` (a file on the controller, taken as it is); with neither it is a folder.
    One that is `secret` has `secret_content` instead, which no diff shows. `vars` are variables of its template alone.
    What a template includes lies in the same templates/, or in the one that all roles share.
    """
    return [_rendered(action, variables, dict(file), role) for file in files]


def _rendered(action, variables, file, role):
    own = file.pop("vars", {})
    if file.get("absent"):
        for name in ("template", "source", "content"):
            file.pop(name, None)
    elif "template" in file:
        path = file.pop("template")
        source = _found(action, "templates", path, role)
        text = trust_as_template(action._loader.get_text_file_contents(source))
        overrides = {"trim_blocks": True, "newline_sequence": "\n"}
        file["content"] = variables.template(
            text, own, [source.removesuffix(path), str(SHARED)], escape_backslashes=False, overrides=overrides
        )
    elif "source" in file:
        file["content"] = action._loader.get_text_file_contents(_found(action, "files", file.pop("source"), role))
    if file.pop("secret", False) and "content" in file:
        file["secret_content"] = file.pop("content")
    return file


def _found(action, kind, path, role):
    own = ROLES / role / kind / path if role else None
    return str(own) if own and own.is_file() else action._find_needle(kind, path)
