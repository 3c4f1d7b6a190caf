"""Keys in every instance, and what the servers say of themselves."""

import time

import redis

KEYS = 10_000


def fill(everyone, count=KEYS):
    for instance in everyone.values():
        client = instance.redis()
        client.flushall()
        pipeline = client.pipeline(transaction=False)
        for number in range(count):
            pipeline.set(f"user_profile:{number}", number)
        pipeline.execute()


def counts(everyone):
    return {name: instance.redis().dbsize() for name, instance in everyone.items()}


def all_have(everyone, count=KEYS):
    return dict.fromkeys(everyone, count)


def in_effect(everyone, name):
    return {instance.redis().config_get(name)[name] for instance in everyone.values()}


def restart(everyone):
    for instance in everyone.values():
        instance.run(f"systemctl restart {instance.unit}")


def save(instance, command="save"):
    """SAVE, or BGSAVE, as soon as the server takes no snapshot of its own: ten thousand new keys make it take one."""
    until = time.monotonic() + 10
    while True:
        try:
            return getattr(instance.redis(), command)()
        except redis.ResponseError as error:
            if "in progress" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.1)
