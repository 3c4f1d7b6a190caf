"""A client that writes and reads back all the while, as an application would."""

from background import Background


class Writer(Background):
    """Writes numbered keys to one instance in a thread until the block ends; `errors` says what went wrong."""

    def __init__(self, instance):
        super().__init__()
        self.client = instance.redis()
        self.client.ping()
        self.written = 0
        self.errors = []

    def _run(self):
        while not self._stop.is_set():
            key = f"written:{self.written}"
            try:
                self.client.set(key, self.written)
                if self.client.get(key) != str(self.written):
                    self.errors.append(f"{key} is gone")
                self.written += 1
                self._stop.wait(0.005)
            except Exception as error:  # whatever it is, an application would see it
                self.errors.append(repr(error))
                self._stop.wait(0.05)
