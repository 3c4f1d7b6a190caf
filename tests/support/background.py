"""Something that goes on in a thread for as long as a block lasts."""

import threading


class Background:
    """Runs `_run`, which ends when `self._stop` is set, as it is at the end of the block."""

    def __init__(self):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self._stop.set()
        self._thread.join()

    def _run(self):
        raise NotImplementedError
