"""Send a host the files that its key families are filled from, those alone that differ from what it has."""

from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.module_utils.cache.warm.sources import digest_of_file


class ActionModule(ActionBase):
    """Takes the module's options; a file has `file`, its path on the controller, in place of the digest."""

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        paths = {file["family"]: file["file"] for file in args["files"]}
        try:
            args["files"] = [{"family": family, "sha256": digest_of_file(path)} for family, path in paths.items()]
        except OSError as error:
            return {"failed": True, "msg": f"{error.filename} cannot be read: {error.strerror}. No host was touched."}
        result = self._execute_module(module_args=args, task_vars=task_vars)
        if result.get("failed") or self._task.check_mode or not result.get("wanted"):
            return result
        folder = self._make_tmp_path()
        for file in args["files"]:
            if file["family"] in result["wanted"]:
                path = self._connection._shell.join_path(folder, file["family"])
                file["sent"] = self._transfer_file(paths[file["family"]], path)
        self._fixup_perms2((folder, *[file["sent"] for file in args["files"] if "sent" in file]))
        try:
            return self._execute_module(module_args=args, task_vars=task_vars)
        finally:
            self._remove_tmp_path(folder)
