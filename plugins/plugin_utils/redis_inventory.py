"""What is wrong with the inventory of Redis instances: pure functions over what the inventory says.

Each error is a sentence: which variable, where it was written, what is wrong, what to write.
"""

import difflib
import re
import typing

from ansible_collections.cistern.core.plugins.plugin_utils import redis_directives

LAYERS = ('redis_config', 'redis_group_config', 'redis_host_config')
SHORTEST_PASSWORD = 16

# Directives that the toolkit computes, with what to write instead.
COMPUTED = {
    'bind': 'write redis_bind', 'port': 'write redis_port', 'requirepass': 'write redis_password',
    'masterauth': 'write redis_password', 'primaryauth': 'write redis_password', 'dir': 'write redis_data_dir',
    'logfile': 'write redis_log_file', 'pidfile': 'leave it out, the unit says where it lies',
    'daemonize': 'leave it out, systemd runs the server', 'supervised': 'leave it out, systemd runs the server',
    'replicaof': 'leave it out, the servers know who is primary', 'slaveof': 'leave it out, the servers know who is primary',
    'cluster-enabled': 'write redis_mode', 'cluster-config-file': 'leave it out',
    'user': 'leave it out and use ACL SETUSER and CONFIG REWRITE: users are the server\'s own, a run keeps them',
}
# The packaged unit hides these folders from the server.
HIDDEN_FOLDERS = ('/home', '/root', '/run/user', '/tmp', '/var/tmp')


class Instance(typing.NamedTuple):
    """One inventory host. `facts` is None until the machine was asked; `broken` are variables that cannot be evaluated."""

    name: str
    machine: tuple
    values: dict
    origins: dict
    broken: dict
    baseline: dict
    facts: typing.Optional[dict] = None

    def get(self, variable, options):
        value = self.values.get(variable)
        return options[variable].get('default') if value is None else value

    def directives(self):
        """Return the effective settings, without the computed ones."""
        merged = dict(self.baseline)
        for layer in LAYERS:
            merged.update(self.values.get(layer) or {})
        return merged

    def named(self, text):
        """Return a path of the defaults with the instance's name put in."""
        return text + self.values.get('redis_instance', '') if self.values.get('redis_instance') else text


def check(instances, options, schema):
    """Return (errors, warnings), each a list of sentences; the same sentence of several hosts stands once."""
    errors, warnings = {}, {}
    for instance in instances:
        for text in [*_variables(instance, options), *_settings(instance, schema), *_places(instance, options)]:
            errors.setdefault(text, []).append(instance.name)
    for text, names in _duplicates(instances, options):
        errors.setdefault(text, []).extend(names)
    for refuse, text, names in _memory(instances, options):
        (errors if refuse else warnings).setdefault(text, []).extend(names)
    return _told(errors, instances), _told(warnings, instances)


def machines(instances):
    """Return {host: {lead, unnamed, tcp_backlog}}: which instance acts for its machine, and what they need together."""
    told = {}
    for group in _by_machine(instances).values():
        backlog = max(_integer(instance.directives().get('tcp-backlog'), 511) for instance in group)
        unnamed = any(not instance.values.get('redis_instance') for instance in group)
        for instance in group:
            told[instance.name] = {'lead': instance is group[0], 'unnamed': unnamed, 'tcp_backlog': backlog}
    return told


def _told(found, instances):
    everyone = len(instances)
    return [text if len(set(names)) == everyone > 1 else f"{text} [{', '.join(dict.fromkeys(names))}]" for text, names in found.items()]


def _by_machine(instances):
    groups = {}
    for instance in instances:
        groups.setdefault(instance.machine, []).append(instance)
    return groups


def _at(instance, key, say=None):
    origin = instance.origins.get(key)
    return f'{say or key} ({origin})' if origin else f'{say or key}'


def _variables(instance, options):
    for name, why in instance.broken.items():
        yield f'{_at(instance, name)}: cannot be evaluated: {why}'
    for name in instance.values:
        if name not in options:
            yield f'{_at(instance, name)}: there is no such variable{_nearest(name, options)}'
    for name, option in options.items():
        if name in instance.values and name not in instance.broken:
            says = _wrong(instance.values[name], option)
            if says:
                yield f'{_at(instance, name)}: {says}'
        elif option.get('required') and name not in instance.broken:
            yield f'{name}: is missing; write it into group_vars/<deployment>'
    password = instance.values.get('redis_password')
    if isinstance(password, str) and len(password) < SHORTEST_PASSWORD:
        yield f'{_at(instance, "redis_password")}: has {len(password)} characters; write at least {SHORTEST_PASSWORD}'
    if isinstance(password, str) and re.search(r'[\n\r\0]', password):
        yield f'{_at(instance, "redis_password")}: has a line break; write it on one line'
    yield from _formats(instance, options)


def _formats(instance, options):
    for name, pattern, say in (
            ('redis_instance', r'([a-z0-9][a-z0-9-]*)?', 'small letters, digits and hyphens'),
            ('redis_deployment', r'[a-z0-9][a-z0-9_-]*', 'small letters, digits, hyphens and underscores'),
            ('redis_version', r'(\d+\.\d+(\.\d+)?)?', 'a version such as "7.0" or "7.0.15", in quotes')):
        value = instance.values.get(name)
        if isinstance(value, str) and not re.fullmatch(pattern, value):
            yield f"{_at(instance, name)}: must be {say}, not '{value}'"
    for name, low, high in (('redis_port', 1, 65535), ('redis_oom_score_adjust', -1000, 1000), ('redis_memory_headroom', 0, 300)):
        number = _integer(instance.values.get(name), low)
        if not low <= number <= high:
            yield f'{_at(instance, name)}: must be from {low} to {high}, not {number}'
    if instance.get('redis_package_source', options) == 'repository':
        repository = instance.values.get('redis_apt_repository') or {}
        missing = [key for key in ('uri', 'suite', 'components', 'key') if not repository.get(key)]
        if missing:
            yield f"{_at(instance, 'redis_apt_repository')}: needs {', '.join(missing)} where redis_package_source is repository"
    if instance.values.get('redis_bind') == []:
        yield f"{_at(instance, 'redis_bind')}: is empty; write at least one address"


def _wrong(value, option):
    """Return what is wrong with the type or the choice of a variable, or None."""
    kind = option['type']
    fits = {'str': str, 'path': str, 'dict': dict, 'list': list, 'bool': bool, 'int': int}[kind]
    if kind == 'int' and isinstance(value, str) and re.fullmatch(r'-?\d+', value):
        value = int(value)
    if kind == 'bool' and isinstance(value, str) and value.lower() in ('true', 'false', 'yes', 'no'):
        value = value.lower() in ('true', 'yes')
    if not isinstance(value, fits) or (kind == 'int' and isinstance(value, bool)):
        article = {'str': 'text (in quotes)', 'path': 'a path', 'dict': 'a mapping', 'list': 'a list', 'bool': 'true or false', 'int': 'a whole number'}
        return f'must be {article[kind]}, not {value!r}'
    if 'choices' in option and value not in option['choices']:
        return f"must be {' or '.join(option['choices'])}, not '{value}'"
    if kind == 'dict' and 'options' in option:
        for key in value:
            if key not in option['options']:
                return f"has no key '{key}'{_nearest(key, option['options'])}"
    return None


def _settings(instance, schema):
    version = instance.values.get('redis_version') or None
    if instance.facts:
        version = _server_version(instance.facts) or version
    merged, spoilt = instance.directives(), set()
    for layer in LAYERS:
        values = instance.values.get(layer)
        if not isinstance(values, dict):
            continue
        for key, value in values.items():
            where = _at(instance, (layer, key), f'{key} in {layer}')
            if key in COMPUTED:
                spoilt.add(key)
                yield f'{where}: is computed; {COMPUTED[key]}'
                continue
            if key == 'rename-command' and re.search(r'(?i)\b(config|info|ping|auth|acl)\b', str(value)):
                yield f'{where}: the toolkit needs this command; take it from users with an ACL instead'
            for problem in redis_directives.problems({key: value}, schema, version):
                spoilt.add(key)
                yield f'{where}: {problem.says}'
    # what is wrong only in the company of other settings
    for problem in redis_directives.problems({key: value for key, value in merged.items() if key not in spoilt}, schema, version):
        text = f'{problem.key}: {problem.says}'
        layer = next((layer for layer in reversed(LAYERS) if problem.key in (instance.values.get(layer) or {})), None)
        alone = redis_directives.problems({problem.key: merged.get(problem.key)}, schema, version)
        if layer and problem in alone:
            continue
        yield f"{_at(instance, (layer, problem.key), f'{problem.key} in {layer}')}: {problem.says}" if layer else text


def _server_version(facts):
    """Return the version of the server that is installed or would be: 5:7.0.15-1~deb12u1 is 7.0.15."""
    text = (facts['packages'].get('redis-server') or {}).get('version') or facts.get('offered', '')
    found = re.match(r'(?:\d+:)?(\d+\.\d+\.\d+)', text)
    return found.group(1) if found else None


def _places(instance, options):
    for name in ('redis_data_dir', 'redis_log_file'):
        path = instance.values.get(name)
        if not isinstance(path, str) or path == '':
            continue
        if not path.startswith('/'):
            yield f"{_at(instance, name)}: must start with /, not '{path}'"
        for folder in HIDDEN_FOLDERS:
            if f'{path}/'.startswith(f'{folder}/'):
                yield f'{_at(instance, name)}: the unit hides {folder} from the server; write a folder elsewhere, such as /srv/redis'


def _duplicates(instances, options):
    """Two instances of a machine must differ in address and port, in name, and in the folder of their data."""
    for group in _by_machine(instances).values():
        for at, one in enumerate(group):
            for other in group[at + 1:]:
                names = [one.name, other.name]
                if _integer(one.get('redis_port', options), 0) == _integer(other.get('redis_port', options), 0) and _overlap(one, other, options):
                    yield f"redis_port: {one.get('redis_port', options)} is taken twice on {one.machine[0]}; give one of them another port", names
                if one.values.get('redis_instance', '') == other.values.get('redis_instance', ''):
                    yield (f"redis_instance: '{one.values.get('redis_instance', '')}' names two instances on {one.machine[0]}; "
                           'give one of them another name'), names
                elif one.values.get('redis_data_dir') and one.values.get('redis_data_dir') == other.values.get('redis_data_dir'):
                    yield f"redis_data_dir: {one.values['redis_data_dir']} belongs to two instances on {one.machine[0]}; give each its own", names


def _overlap(one, other, options):
    binds = [{address.lstrip('-') for address in instance.get('redis_bind', options)} for instance in (one, other)]
    everywhere = {'*', '0.0.0.0', '::', '::*'}
    return bool(binds[0] & binds[1] or binds[0] & everywhere or binds[1] & everywhere)


def _memory(instances, options):
    """Yield (refuse, sentence, names) where a machine may not have the memory that its instances may take."""
    for group in _by_machine(instances).values():
        facts = next((instance.facts for instance in group if instance.facts), None)
        if not facts:
            continue
        total, need, names = facts['memory_mb'], 0, [instance.name for instance in group]
        for instance in group:
            limit = redis_directives.size_in_bytes(instance.directives().get('maxmemory') or 0)
            if limit is None:
                continue
            if limit >> 20 >= total:
                yield True, f'maxmemory: {limit >> 20} MiB is more than {instance.machine[0]} has ({total} MiB); write less', [instance.name]
            if limit == 0:
                yield False, f'maxmemory: 0 sets no limit, the server may take all memory of {instance.machine[0]}; write one', [instance.name]
            need += (limit >> 20) * (100 + _integer(instance.get('redis_memory_headroom', options), 30)) // 100
        if need > total and all(redis_directives.size_in_bytes(i.directives().get('maxmemory') or 0) >> 20 < total for i in group):
            refuse = any(instance.get('redis_memory_policy', options) == 'refuse' for instance in group)
            yield refuse, (f'maxmemory: the instances of {group[0].machine[0]} may need {need} MiB with their headroom, and it has {total} MiB; '
                           'write less, or redis_memory_policy: warn'), names


def _integer(value, default):
    try:
        return int(value)
    except (TypeError, ValueError):
        return default


def _nearest(name, names):
    found = difflib.get_close_matches(name, list(names), n=1)
    return f'; did you mean {found[0]}?' if found else ''
