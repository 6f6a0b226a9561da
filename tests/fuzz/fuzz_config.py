"""Fuzzes the config reader: `pip install atheris`, then `python -m tests.fuzz.fuzz_config -max_total_time=180`."""

import sys

import yaml

from torchann.commands import plain_yaml
from torchann.commands.plain_yaml import DEEPEST, LARGEST

PLAIN = (dict, list, str, int, float, bool, bytes, set, tuple, type(None))


def check(text: str) -> None:
    """The law: a text is plain values of bounded size and depth, or refused in words; nothing else ever happens."""
    try:
        value = plain_yaml.plain_yaml(text)
    except yaml.YAMLError:
        return
    waiting, size = [(value, 0)], 0
    while waiting:
        node, depth = waiting.pop()
        size += 1
        assert type(node) in PLAIN, type(node)
        assert depth <= DEEPEST and size <= 2 * LARGEST
        parts = [*node.keys(), *node.values()] if isinstance(node, dict) else node
        if isinstance(node, (dict, list, tuple, set)):
            waiting.extend((part, depth + 1) for part in parts)


def fuzz(data: bytes) -> None:
    """Bytes as text."""
    check(data.decode("utf-8", "replace"))


if __name__ == "__main__":
    import atheris

    for function in (plain_yaml._check_size, plain_yaml._check_keys):
        setattr(plain_yaml, function.__name__, atheris.instrument_func(function))
    atheris.Setup(sys.argv, fuzz)
    atheris.Fuzz()
