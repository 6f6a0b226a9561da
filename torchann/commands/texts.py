"""Options that name columns and files: their values stay the text that was typed, whatever YAML would make of it."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import yaml

REQUIRED = ("source", "target")
YAML = ("kinds", "missing_values", "numbers")
NAMES = (*REQUIRED, "val_source", "test_source", "split_by", "delimiter", "decimal", *YAML)
"""Options of a table whose values are texts, or lists or mappings of texts."""


class Text(str):
    """A string that jsonargparse does not parse, as it looks for YAML in plain ``str`` values alone.

    Example:
        >>> type(str(Text("null")))
        <class 'str'>
    """


class _Option(str):
    # `--data.target=VALUE`, whose value is a Text when jsonargparse splits it.
    def partition(self, separator: str) -> tuple[str, str, str]:
        name, sign, value = super().partition(separator)
        return name, sign, Text(value)


def keep_texts(words: Sequence[str]) -> list[str]:
    """Return a command line whose names of columns and files reach the data module as they were typed.

    Args:
        words: of a command, with ``--data FILE`` and ``--target NAME`` translated.

    Example:
        >>> keep_texts(["--data.target", "[x]", "--data.kinds", "{007: category}", "--quiet"])
        ['--data.target=[x]', '--data.kinds={"007": "category"}', '--quiet']
    """
    found: list[str] = []
    given = list(words)
    while given:
        word = given.pop(0)
        option, sign, value = word.partition("=")
        name = option.rstrip("+").removeprefix("--data.").removeprefix("init_args.")
        if option.startswith("--data.") and name in NAMES and (sign or given):
            found.append(_kept(option, name, value if sign else given.pop(0)))
        else:
            found.append(word)
    return found


def _kept(option: str, name: str, value: str) -> str:
    if name in YAML:
        try:
            texts = texts_of(yaml.compose(value, Loader=yaml.SafeLoader))
        except (yaml.YAMLError, RecursionError):
            return f"{option}={value}"  # which jsonargparse refuses
        texts = [texts] if name == "missing_values" and isinstance(texts, Text) else texts
        return f"{option}={texts if isinstance(texts, Text) else json.dumps(texts, ensure_ascii=False)}"
    return f"{option}={value}" if _is_list(value) else _Option(f"{option}={value}")


def _is_list(value: str) -> bool:
    # Several files or targets; [x], without quotes, is a name.
    try:
        found = json.loads(value)
    except ValueError:
        return False
    return isinstance(found, list) and bool(found) and all(isinstance(name, str) for name in found)


def texts_of(node: yaml.Node | None, none: bool = False) -> Any:
    """Return what stands in a YAML node as texts, lists of them, or a mapping from texts to texts.

    Args:
        node: the node.
        none: whether a plain ``null`` is None, as in a saved config for an option that was not given.

    Example:
        >>> texts_of(yaml.compose("{2020: category, yes: ignore}"))
        {'2020': 'category', 'yes': 'ignore'}
    """
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _plain(texts_of(value)) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(texts_of(part)) for part in node.value]
    if node is None or (none and node.tag == "tag:yaml.org,2002:null"):
        return None
    return Text(node.value)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Text) else value


def with_plain_texts(kind: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Make an object of a config; its names are strings like others, which checkpoints can hold."""
    return kind(*args, **{name: _plain(value) for name, value in kwargs.items()})


def keep_texts_of_file(node: yaml.Node | None, value: Any) -> None:
    """Put the names of columns and files of a config back to what stands in the file.

    Args:
        node: the document.
        value: what YAML made of it, which is changed.
    """
    for key in ("data", "init_args"):
        inner = _entries(node).get(key)
        if inner is not None and isinstance(value, dict) and isinstance(value.get(key), dict):
            keep_texts_of_file(inner, value[key])
            for name, part in _entries(inner).items():
                if name in NAMES:
                    value[key][name] = texts_of(part, none=name not in REQUIRED)


def _entries(node: yaml.Node | None) -> dict[str, yaml.Node]:
    return {str(key.value): part for key, part in node.value} if isinstance(node, yaml.MappingNode) else {}
