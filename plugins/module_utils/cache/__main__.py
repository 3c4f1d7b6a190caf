"""`python3 -m cistern.cache VERB ...`: what a host does for its cache by itself, from units of systemd."""

import importlib
import sys

# verb -> the module whose main(verb, arguments) does it
VERBS = {"warm": "warm.program", "warm-watch": "warm.program", "metrics": "inspect.program"}


def main():
    verb, arguments = (sys.argv[1:2] or [""])[0], sys.argv[2:]
    if verb not in VERBS:
        sys.exit(f"usage: python3 -m cistern.cache {'|'.join(VERBS)} ...")
    importlib.import_module(f".{VERBS[verb]}", __package__).main(verb, arguments)


if __name__ == "__main__":
    main()
