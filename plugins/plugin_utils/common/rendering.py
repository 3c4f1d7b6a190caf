"""Render the files of a role on the controller, so that one module run carries all of them to the host."""

from ansible.template import trust_as_template


def rendered(action, task_vars, files):
    """Return the files with `content`.

    A file has `template` (a path below the role's templates/, which mirrors the host's file system) or `source` (a file
    on the controller, taken as it is); with neither it is a folder. One that is `secret` has
    `secret_content` instead, which no diff shows. `vars` are variables of its template alone.
    """
    return [_rendered(action, task_vars, dict(file)) for file in files]


def _rendered(action, task_vars, file):
    own = file.pop("vars", {})
    if file.get("absent"):
        for name in ("template", "source", "content"):
            file.pop(name, None)
    elif "template" in file:
        source = action._find_needle("templates", file.pop("template"))
        text = trust_as_template(action._loader.get_text_file_contents(source))
        templar = action._templar.copy_with_new_env(available_variables={**task_vars, **own})
        file["content"] = templar.template(
            text, escape_backslashes=False, overrides={"trim_blocks": True, "newline_sequence": "\n"}
        )
    elif "source" in file:
        file["content"] = action._loader.get_text_file_contents(action._find_needle("files", file.pop("source")))
    if file.pop("secret", False) and "content" in file:
        file["secret_content"] = file.pop("content")
    return file
