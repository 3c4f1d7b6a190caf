"""Numbers of a report as people read them."""

from ansible_collections.cistern.core.plugins.module_utils.host import formatting


def count(number):
    return f"{number:,}"


def size(number):
    """Return bytes with the unit that fits, for the columns of a table."""
    return formatting.size(number, narrow=True)


def share(part, whole):
    """Return a percentage; what is there is never told as none, and what is not all never as all."""
    if not whole:
        return "-"
    percent = 100 * part / whole
    if part and percent < 0.1:
        return "<0.1 %"
    return f"{min(percent, 99.9) if part < whole else percent:.{0 if percent in (0, 100) else 1}f} %"


def seconds(number):
    """Return a time in its two largest units."""
    number = int(number)
    parts = [(number // 86400, "d"), (number % 86400 // 3600, "h"), (number % 3600 // 60, "min"), (number % 60, "s")]
    words = [f"{value} {unit}" for value, unit in parts if value]
    return " ".join(words[:2]) or "0 s"


def usec(number):
    """Return microseconds with the unit that fits."""
    if number < 1000:
        return f"{number:.0f} µs"
    return f"{number / 1000:.1f} ms" if number < 1_000_000 else f"{number / 1_000_000:.1f} s"


def plural(number, noun):
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"
