"""The keys that every application has: the baseline of the role app_env."""

from generator.markdown import code, table
from generator.sources import load

BASELINE = """
# Keys of the baseline

What `app_env` is laid over.

"""


def baseline():
    keys = load("roles/app_env/vars/main/baseline.yml")["__app_env_baseline"]
    return BASELINE + table(("key", "value"), *((f"`{key}`", code(value)) for key, value in keys.items()))
