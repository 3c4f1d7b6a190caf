"""Put a report of a cache together, print it, and write it as JSON and as a page for a browser."""

import json
import os

from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.module_utils.host import atomic
from ansible_collections.cistern.core.plugins.plugin_utils.cache import deployments as cache_members
from ansible_collections.cistern.core.plugins.plugin_utils.cache import report as cache_pages
from ansible_collections.cistern.core.plugins.plugin_utils.cache import report_html as cache_html


class ActionModule(ActionBase):
    """`reported` is {host: what cache_report returned}; the rest as in cache_report. A check writes no file."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = self._task.args
        deployment, errors = cache_members.request("cache_report", args["deployment"], args["policies"])
        if errors:
            return {"failed": True, "msg": "; ".join(errors)}
        reported = {
            node["host"]: _reported_by(args["told"].get(node["host"]))
            for node in cache_members.nodes(deployment, args["instances"])
        }
        try:
            made = cache_pages.report(deployment, args["policies"][deployment], reported)
        except cache_pages.NothingScanned as error:
            return {"failed": True, "msg": f"No instance of {deployment} could be walked. {error}."}
        lines = list(cache_pages.lines(made))
        if not self._task.check_mode:
            base = os.path.join(os.path.realpath(args["dir"]), deployment)
            try:
                self._pages(made, base, args["template"])
            except Exception as error:  # whatever it is, the walk must not have been for nothing
                for line in lines:
                    self._display.display(line)
                why = f"{base}.html or {base}.json cannot be written: {type(error).__name__}: {error}"
                return {"failed": True, "msg": f"The report stands above. {why}"}
            lines += ["", f"Written: {base}.html and {base}.json"]
        return {"changed": False, "report": lines}

    def _pages(self, made, base, template):
        _write(f"{base}.json", json.dumps(made, indent=2, ensure_ascii=False) + "\n")
        page = cache_html.page(made, self._loader.get_real_file(self._find_needle("templates", template)))
        _write(f"{base}.html", page)


def _reported_by(result):
    """What a host told; one that was not asked, or could not be, says why."""
    if not result or result.get("skipped"):
        return {"why": "it is not in this run (--limit)"}
    if result.get("unreachable"):
        return {"why": "its machine cannot be reached over SSH"}
    if result.get("failed"):
        return {"why": str(result.get("msg", "the module failed"))}
    return result


def _write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    atomic.write(path, text, errors="backslashreplace")
