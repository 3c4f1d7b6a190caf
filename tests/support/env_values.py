"""Values of an .env that a reader may take for something else."""

import random

# fmt: off
NASTY = [
    "", " ", "  two  ", "\t", "plain", "a=b", "=", "#", "a #b", "#a", "~", "~root", "a:~", "*", "?", "[a]", "!!",
    "{a,b}", "'", "''", '"', '""', "'\"'", "it's", "it's \"so\"", "'a'", '"a"',
    "\\", "\\\\", "\\\\\\", "a\\", "'\\", "\\'", '\\"', "'\\\\",
    "\\n", "'\\n", "\\\\n", "'\\\\n", "\\x41", "'\\x41", "\\u0041'", "\\t'", "\\0'", "\\$", "'\\$HOME", "\\`", "'\\`",
    "$", "$$", "$HOME", "'$HOME", "${HOME}", "'${HOME}", "${", "'${", "$}", "'$}", "'}$", "${HOME:-x}", "'${nope:-x}",
    "$(id)", "'$(id)", "`id`", "'`id`", "`", "'`", "'$", "'$'", "$'a'", '$"a"',
    "'$`\\\"${CISTERN_DOLLAR}", "${CISTERN_DOLLAR}'", "$CISTERN_TICK'",
    "a b", "; exit 1", "' ; exit 1", "& x |", "<>()", "%s", "'%s", "export A=b", "it's #1", "' # '", "a' #b", "{{ a }}",
    "über", "'über$", "密码", "'密码\\", "😀'$", "é\u0301'", "\u2028", "'\u2028", "\u0085'", "\u00a0", "'\u00a0",
    "\ufeff", "'\ufeffa", "\x01", "'\x01$", "\x7f", "'\x7f$", "\x1b[0m'", "'\x0b\x0c\x1c\x1d\x1e", "\x81\x88'",
    "'$\u0101\u0441\u5f81",
]
# fmt: on


def random_values():
    """Some hundred values, the same in each run: of what can be typed, and of what quoting is about."""
    dice = random.Random(20)
    typed = [chr(code) for code in range(32, 127)]
    for alphabet in (typed, [*typed, *"äßéλж中文😀€"], list("'\"\\$`{}n#A ")):
        for _ in range(200):
            yield "".join(dice.choices(alphabet, k=dice.randint(1, 24)))


VALUES = {f"KEY_{number}": value for number, value in enumerate([*NASTY, *random_values()])}
