"""Numbers of bytes, as people read them."""

import pytest
from ansible_collections.cistern.core.plugins.module_utils.host.formatting import pg_size, size

MIB = 1 << 20


@pytest.mark.parametrize(
    ("number", "text", "narrow"),
    [
        (512, "512 B", "512 B"),
        (1024, "1.0 KiB", "1.0 KiB"),
        (1536, "1.5 KiB", "1.5 KiB"),
        (300 * MIB, "300.0 MiB", "300 MiB"),
        (1 << 41, "2048.0 GiB", "2048 GiB"),
    ],
)
def test_a_size_has_the_unit_that_fits(number, text, narrow):
    assert (size(number), size(number, narrow=True)) == (text, narrow)


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 bytes"), (9000, "9000 bytes"), (20480, "20 kB"), (80 * MIB, "80 MB"), (3e15, "2728 TB")]
)
def test_a_size_is_spelled_as_postgresql_does(number, text):
    assert pg_size(number) == text
