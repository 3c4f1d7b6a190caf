"""A client that writes and reads back all the while, as an application would."""

import threading


class Writer:
    """Writes numbered keys to one instance in a thread until the block ends; `errors` says what went wrong."""

    def __init__(self, instance):
        self.client = instance.redis()
        self.client.ping()
        self.written = 0
        self.errors = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self._stop.set()
        self._thread.join()

    def _write(self):
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
