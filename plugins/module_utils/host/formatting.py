"""Numbers of bytes as people read them: as tools of a machine spell them, and as PostgreSQL does."""

UNITS = ("B", "KiB", "MiB", "GiB")
# pg_size_pretty() begins the next unit at ten of it, so that a size is what SQL says too.
PG_UNITS, PG_FULL = ("bytes", "kB", "MB", "GB", "TB"), 10240


def size(number, narrow=False):
    """Return bytes with the unit that fits; `narrow` has no decimal where there are three digits before it."""
    value, unit = _scaled(number, UNITS, 1024)
    whole = unit == UNITS[0] or (narrow and value >= 100)
    return f"{value:.0f} {unit}" if whole else f"{value:.1f} {unit}"


def pg_size(number):
    """Return bytes as PostgreSQL spells them."""
    value, unit = _scaled(number, PG_UNITS, PG_FULL)
    return f"{value:.0f} {unit}"


def _scaled(number, units, full):
    """Return a number in the first unit in which it is less than `full`, or in the last one."""
    value = float(number)
    for unit in units[:-1]:
        if abs(value) < full:
            return value, unit
        value /= 1024
    return value, units[-1]
