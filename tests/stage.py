"""One stage of the tests: a command, what it printed, and what of that names a failure."""

import re
import subprocess
import time

# What pytest, ansible and molecule say of a failure.
FAILURE = re.compile(r"\b(FAILED|ERROR) tests/|^(- )?E  |\bfatal: \[|Error:")
SHOWN, LONGEST = 8, 200


def clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class Stage:
    """`result` is NOT RUN until it has ended; `output` is what it printed."""

    def __init__(self, name, command, folder, environment):
        self.name, self.command, self.folder, self.environment = name, command, folder, environment
        self.result, self.output = "NOT RUN", ""
        self._lines, self._began, self._ended = [], None, None

    def run(self, live):
        """Run the command to its end; `live` shows what it prints as it goes."""
        self._began = time.monotonic()
        try:
            code = self._code(live)
        except OSError as error:  # its program is not there
            code, live = 127, False
            self._lines.append(f"Error: {error}\n")
        self._ended = time.monotonic()
        self.output = "" if live else "".join(self._lines)
        self.result = "passed" if code == 0 else f"FAILED, exit {code}"

    def _code(self, live):
        with subprocess.Popen(
            self.command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            for line in process.stdout:
                self._lines.append(line)
                if live:
                    print(line, end="", flush=True)
        return process.returncode

    def running(self):
        return self._began is not None and self._ended is None

    def seconds(self):
        return (self._ended or time.monotonic()) - self._began if self._began else 0

    def last(self):
        """Return the last line that says something, cut to fit beside another."""
        return next((text[:60] for text in map(plain, reversed(self._lines[-20:])) if len(text) > 2), "")

    def failures(self):
        """Return the lines that name a failure, or else the last ones."""
        lines = [plain(line) for line in self._lines]
        found = []
        for number, text in enumerate(lines):
            if FAILURE.search(text):
                # molecule wraps a long name: its rest stands on the next line
                found.append(text + (lines[number + 1] if "FAILED tests/" in text and "::" in text else ""))
        found = list(dict.fromkeys(found)) or [text for text in lines if text]
        return [text[:LONGEST] for text in found[-SHOWN:]]


def plain(line):
    """Return a line without colours and molecule's frame."""
    return re.sub(r"\x1b\[[0-9;]*m|[│\n]", "", line).strip()
