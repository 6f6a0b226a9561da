"""Reads YAML that anyone may have written: plain values, of a size and a depth that a person can have meant."""

import re
from typing import Any

import yaml
from jsonargparse import get_loader, set_dumper, set_loader, set_parsing_settings

from torchann.commands.texts import Text, keep_texts_of_file
from torchann.commands.trusted import TRUSTED

LONGEST = 1_000_000  # characters
DEEPEST = 50  # mappings and lists within each other
LARGEST = 100_000  # values, where an alias counts as much as what it stands for
NO_CONFIG = "it is no YAML mapping; give a file with model, data and trainer, or a table as --data FILE --target COLUMN"

_load = get_loader("yaml")
_Parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def plain_yaml(text: str) -> Any:
    r"""The value of a YAML document, once it is known to be harmless: a tag makes no object, an alias no gigabytes.

    Args:
        text: a document, or the value of an option.

    Raises:
        yaml.YAMLError: if it is no YAML, has a key twice, or is too long, too deep or, its aliases written out, too
            large.

    Example:
        >>> plain_yaml("hidden_sizes: [300, 100]")
        {'hidden_sizes': [300, 100]}
        >>> plain_yaml("lr: 0.1\nlr: 0.2")
        Traceback (most recent call last):
            ...
        yaml.error.YAMLError: the key 'lr' comes twice, the second time in line 2; leave one of them out
    """
    if len(text) > LONGEST:
        raise yaml.YAMLError(f"it has {len(text):,} characters; give at most {LONGEST:,}")
    try:
        _check_size(text)
    except yaml.MarkedYAMLError as error:
        if error.problem == "could not find expected ':'":
            raise yaml.YAMLError(NO_CONFIG) from error
        raise
    document = yaml.compose(text, Loader=_Parser)
    _check_keys(document)
    try:
        value = _load(text)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:  # PyYAML lets them pass
        raise yaml.YAMLError(f"it has a value that is none ({error}); put it in quotes") from None
    if isinstance(value, str) and "\n" in text.strip():  # lines of a table, perhaps, which no message may show
        raise yaml.YAMLError(NO_CONFIG)
    if isinstance(value, dict) and not isinstance(value.get("trainer"), (dict, str, type(None))):
        raise yaml.YAMLError(f"trainer is {value['trainer']!r}; give a mapping, such as {{max_epochs: 20}}")
    keep_texts_of_file(document, value)
    return value


def _check_size(text: str) -> None:
    size, sizes = 0, {}  # of what each anchor stands for
    within: list[tuple[str | None, int]] = []  # the anchor of each mapping or list, and the size where it began
    for event in yaml.parse(text, Loader=_Parser):
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = within.pop()
            sizes[anchor] = size - before
        elif isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1
            if any(anchor == event.anchor for anchor, _ in within):
                raise yaml.YAMLError(f"*{event.anchor} in line {line} stands for what it is a part of; write it out")
            size += sizes.get(event.anchor, 1)
        elif isinstance(event, yaml.NodeEvent):
            if isinstance(event, yaml.CollectionStartEvent):
                within.append((event.anchor, size))
            size += 1
        if len(within) > DEEPEST:
            raise yaml.YAMLError(f"it is more than {DEEPEST} levels deep in line {event.start_mark.line + 1}")
        if size > LARGEST:
            raise yaml.YAMLError(f"it has more than {LARGEST:,} values, its aliases written out; leave some out")


def _check_keys(node: yaml.Node | None) -> None:
    waiting, seen = [node], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            keys: set[Any] = set()
            for key, value in node.value:
                waiting.append(value)
                if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                    if key.value in keys:
                        line = key.start_mark.line + 1
                        message = f"the key {key.value!r} comes twice, the second time in line {line}"
                        raise yaml.YAMLError(f"{message}; leave one of them out")
                    keys.add(key.value)


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    # Puts in quotes what is a number to jsonargparse alone, such as 1e3.
    pass


_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[\d_.]+[eE][-+]?\d+$"), list("-+.0123456789")
)
_Dumper.add_representer(Text, _Dumper.represent_str)


def _dump(value: Any) -> str:
    return str(yaml.dump(value, Dumper=_Dumper, default_flow_style=False, allow_unicode=True, sort_keys=False))


def accept_only_plain_yaml() -> None:
    """Makes jsonargparse read YAML as :func:`plain_yaml` does, and make objects only of trusted classes."""
    set_loader("yaml", plain_yaml, exceptions=(yaml.YAMLError,))
    set_dumper("yaml", _dump)
    set_parsing_settings(
        instantiate_subclass_spec_in_any=False, import_path_denylist=["*"], import_path_allowlist=[*TRUSTED]
    )
