"""What a module of the toolkit says that it cannot do, by what it means for the host."""


class Refused(Exception):
    """What would be unsafe, or cannot be; nothing was touched. Each argument is a reason, and says what to do."""

    def __str__(self):
        return "; ".join(map(str, self.args))


class LosesData(Refused):
    """What would cost data, which is known before anything is done."""


class Failed(Exception):
    """What was begun and is not whole; one sentence says why and what is left."""


class Unusable(Exception):
    """A configuration that the server itself does not take, in its own words."""
