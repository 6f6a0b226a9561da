"""No file but the three doors knows a private name of another package."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import torchann

PACKAGE = Path(torchann.__file__).parent
DOORS = {
    "training/lightning_internals.py",
    "estimators/sklearn_internals.py",
    "tuning/optuna_internals.py",
}
ALLOWED = {
    "_asdict": "a documented method of named tuples, whose underscore keeps it apart from their fields",
    "_replace": "a documented method of named tuples, whose underscore keeps it apart from their fields",
    "_exit": "the documented function os._exit",
    "_instantiator": "a key by which a checkpoint would run code; read to refuse the file",
    "_class_path": "a key by which a checkpoint would run code; read to refuse the file",
    "_forward_hooks": "torch has no public way to ask whether a module has hooks",
    "_forward_pre_hooks": "as for _forward_hooks",
    "_backward_hooks": "as for _forward_hooks",
    "_backward_pre_hooks": "as for _forward_hooks",
    "_optimizer_step_pre_hooks": "torch has no public way to ask whether an optimiser has hooks",
    "_optimizer_step_post_hooks": "as for _optimizer_step_pre_hooks",
    "_opt_called": "what torch's schedules look at before they warn that an optimiser never steps",
    "_cache": "where Numba saves a compiled function; it has no public way to let one process at a time do so",
    "_update_count": "torchmetrics shows the number of updates, and has no public way to restore it",
}


def is_private(name: object) -> bool:
    return isinstance(name, str) and re.fullmatch(r"_[a-zA-Z]\w*", name) is not None


def of_self(node: ast.AST) -> bool:
    """Return whether an expression is ``self``, ``cls`` or ``super()``."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "super"
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def defined_in(tree: ast.AST) -> set[str]:
    """Return the private names that a piece of code defines: functions, classes, variables, fields, ``self._x = …``."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and of_self(node.value):
            names.add(node.attr)
        elif isinstance(node, ast.Assign) and any(ast.unparse(target) == "__slots__" for target in node.targets):
            names |= {part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant)}
    return {name for name in names if is_private(name)}


def names_in_strings(node: ast.Call | ast.Tuple | ast.List | ast.Set) -> list[str]:
    """Return the private names that ``getattr`` and the like are given, or a list of strings holds.

    Of an f-string it is the beginning, such as ``_ddp_``.
    """
    if isinstance(node, ast.Call):
        given = node.args[1:2] if ast.unparse(node.func) in ("getattr", "hasattr", "setattr", "delattr") else []
    else:
        given = node.elts
    strings = [part.values[0] if isinstance(part, ast.JoinedStr) and part.values else part for part in given]
    return [part.value for part in strings if isinstance(part, ast.Constant) and is_private(part.value)]


def bases_of(trees: dict[str, ast.Module]) -> dict[str, set[str]]:
    """Return the names of the bases of each class, without the modules in front of them."""
    classes = [node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    bases: dict[str, set[str]] = {node.name: set() for node in classes}
    for node in classes:
        for base in node.bases:
            named = base.value if isinstance(base, ast.Subscript) else base
            bases[node.name].add(ast.unparse(named).rpartition(".")[2])
    return bases


def relatives(name: str, bases: dict[str, set[str]]) -> set[str]:
    """Return a class with its ancestors and the descendants of all these, as a mixin is used by its siblings."""
    family, grown = {name}, {name}
    while grown:
        parents = {base for member in grown for base in bases.get(member, ()) if base in bases}
        children = {child for child, above in bases.items() if above & grown}
        grown = (parents | children) - family
        family |= grown
    return family


def foreign_names(trees: dict[str, ast.Module]) -> Iterator[tuple[str, int, str]]:
    """Yield file, line and name of each private name of another package.

    Args:
        trees: syntax trees by file, of all files of the package: a private name that one of them defines is its own.
    """
    own = set().union(*map(defined_in, trees.values()))
    of_class: dict[str, set[str]] = {}
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                of_class[node.name] = of_class.get(node.name, set()) | defined_in(node)
    bases = bases_of(trees)

    def look(node: ast.AST, known: set[str]) -> Iterator[tuple[int, str]]:
        if isinstance(node, ast.ClassDef):  # what ``self`` has is what a class of its family defines
            known = set().union(*(of_class[member] for member in relatives(node.name, bases)))
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            if node.attr not in (known if of_self(node.value) else own):
                yield node.lineno, node.attr
        elif isinstance(node, (ast.Call, ast.Tuple, ast.List, ast.Set)):
            yield from ((node.lineno, name) for name in names_in_strings(node) if name not in own)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            paths = [f"{getattr(node, 'module', None) or ''}.{alias.name}".strip(".") for alias in node.names]
            parts = [part for path in paths if path.split(".")[0] != "torchann" for part in path.split(".")]
            yield from ((node.lineno, part) for part in dict.fromkeys(parts) if is_private(part))
        for child in ast.iter_child_nodes(node):
            yield from look(child, known)

    for file, tree in trees.items():
        yield from ((file, line, name) for line, name in look(tree, own))


def package_trees() -> dict[str, ast.Module]:
    files = sorted(PACKAGE.rglob("*.py"))
    return {str(file.relative_to(PACKAGE)): ast.parse(file.read_text()) for file in files}


FOUND = list(foreign_names(package_trees()))


def test_private_names_of_other_packages_are_known_behind_the_doors_only():
    outside = [
        f"torchann/{file}:{line}: {name}" for file, line, name in FOUND if file not in DOORS and name not in ALLOWED
    ]
    told = "\n".join(outside)
    assert not outside, f"private names of other packages; take a public way, or put them behind a door:\n{told}"


def test_no_allowed_name_is_gone():
    gone = sorted(ALLOWED.keys() - {name for _, _, name in FOUND})
    assert not gone, f"no longer used, take them out of ALLOWED: {gone}"


def test_the_doors_know_fewer_than_forty_private_names():
    names = {(file, name) for file, _, name in FOUND if file in DOORS}
    assert len(names) < 40, f"{len(names)} names: {sorted(names)}"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("from sklearn.base import _fit_context", ["_fit_context"]),
        ("from sklearn.utils._param_validation import Interval", ["_param_validation"]),
        ("import sklearn.utils._param_validation", ["_param_validation"]),
        ("torch._fused_adam_(x)", ["_fused_adam_"]),
        ("loop._skip_next_val = True", ["_skip_next_val"]),
        ("getattr(trainer, '_detect_anomaly')", ["_detect_anomaly"]),
        ("getattr(strategy, f'_ddp_{name}')", ["_ddp_"]),
        ("HOOKS = ('_forward_hooks', 'x')", ["_forward_hooks"]),
        ("class A(Base):\n    def f(self):\n        return self._version", ["_version"]),
        ("class A(Base):\n    def f(self):\n        return super()._version", ["_version"]),
        ("class B:\n    _version = 1\nclass A(Base):\n    def f(self):\n        return self._version", ["_version"]),
    ],
)
def test_private_name_of_another_package_is_seen(source, names):
    assert [name for _, _, name in foreign_names({"a.py": ast.parse(source)})] == names


@pytest.mark.parametrize(
    "source",
    [
        "from torchann.tuning.study import _plain",
        "class A:\n    def __init__(self):\n        self._x = 1\ndef f(a):\n    return a._x",
        "class A:\n    _x: int\nclass B(A):\n    def f(self):\n        return self._x",
        "class Mixin:\n    def f(self):\n        return self._x\nclass A(Mixin, Base):\n    _x = 1",
        "class A:\n    __slots__ = ('_x',)\n    def f(self):\n        return self._x",
        "a.__dict__",
        "row._replace(x=1)",
        "marker = '_'",
    ],
)
def test_own_names_and_public_ones_are_let_pass(source):
    assert [name for _, _, name in foreign_names({"a.py": ast.parse(source)}) if name not in ALLOWED] == []
