"""What is taken for no mistake in the code stands there."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SURVIVORS = yaml.safe_load((ROOT / "tests/mutants/survivors.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("each", SURVIVORS, ids=lambda each: each["file"])
def test_a_line_that_is_excused_is_there(each):
    lines = [line.strip() for line in (ROOT / each["file"]).read_text(encoding="utf-8").splitlines()]
    assert set(each) == {"file", "line", "mistake", "reason"} and each["reason"].endswith(".")
    assert each["line"] in lines
