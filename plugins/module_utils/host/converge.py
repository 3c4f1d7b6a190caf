"""How a module brings a machine from what there is to what is wanted: the steps of a plan, and a second look.

A module observes, plans, and hands the steps to converge(); what it does in check mode is the same without taking one.
"""


def each(apply, describe, failures=(OSError, RuntimeError)):
    """Return what takes steps one by one; a RuntimeError says at which one of them it failed, and why."""

    def take(steps):
        for step in steps:
            try:
                apply(step)
            except failures as error:
                raise RuntimeError(f"{describe(step)}: {error}") from error

    return take


def converge(module, steps, take, left, describe, result):
    """Take the steps; look again, and fail if one is left. In check mode nothing is done.

    `take(steps)` takes them, `left()` returns the steps of a second look, `describe(step)` is a step as a sentence.
    """
    if steps and not module.check_mode:
        take(steps)
        settled(module, left(), describe, result)


def settled(module, left, describe, result):
    """Fail the module if steps are left after a run: something else sets the value too, or undoes it."""
    if left:
        sentences = "; ".join(map(describe, left))
        module.fail_json(msg=f"After the run this still differs: {sentences}", **{"changed": True, **result})
