"""The dashboards that the role monitoring ships, as code."""

import json

from generator.dashboards.citus import citus
from generator.dashboards.families import families
from generator.dashboards.instance import instance
from generator.dashboards.overview import overview


def dashboards():
    """Return {file name: JSON} of the dashboards."""
    boards = [overview(), instance(), families(), citus()]
    return {f"{board['uid']}.json": json.dumps(board, indent=1, ensure_ascii=False) + "\n" for board in boards}
