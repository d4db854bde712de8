"""The house rules that can be read off the source: who may import whom, what loads late, how long things may grow.

Every rule is a function from a folder to a list of faults. Only syntax is read; nothing is imported. The tests of
`test_layers` apply the rules to this repository, and to small trees with planted faults.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

MAY_IMPORT: dict[str, set[str]] = {
    "app": {"demo"},
    "demo": {"handwriter_models", "curation"},
    "crawler": {"curation", "handwriter_models"},
    "training": {"curation", "handwriter_models"},
    "curation": {"handwriter_models"},
    "handwriter_models": set(),
}
PACKAGES = set(MAY_IMPORT) - {"app"}
OURS = set(MAY_IMPORT) | {"tests", "benchmarks"}
LATE = {"torch", "torchvision", "gradio"}  # seconds each: imported where they are used
DRAWERS = {"common", "utils", "util", "helpers", "helper", "misc", "shared"}
UNPICKLING = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
ONE_DOOR = "handwriter_models/torchvision_import.py"  # the only file that may import torchvision
LINES_A_FILE, LINES_A_FUNCTION, PARAMETERS = 400, 60, 8
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file: its path below the root, its module name, its text, and that as lines and as a tree."""

    path: str
    text: str

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]

    @property
    def package(self) -> str:
        return self.module if self.path.endswith("/__init__.py") else self.module.rpartition(".")[0]


@dataclass(frozen=True)
class Import:
    """One imported name: `from a.b import c` may mean the module a.b.c, so both are kept."""

    module: str
    name: str
    line: int
    at_start: bool

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]


@cache
def sources(root: Path) -> tuple[Source, ...]:
    files = [*root.glob("*.py"), *(file for top in OURS for file in (root / top).rglob("*.py"))]
    return tuple(Source(file.relative_to(root).as_posix(), file.read_text("utf-8")) for file in sorted(files))


def is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


@cache
def nodes(source: Source) -> tuple[ast.AST, ...]:
    """Every node of a file: many rules look at them."""
    return tuple(ast.walk(source.tree))


def last_name(node: ast.expr) -> str:
    """`c` of `a.b.c`; nothing of what is no name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def statements(node: ast.AST, at_start: bool = True) -> Iterator[tuple[ast.AST, bool]]:
    """Every node below, with whether it runs when the module is imported."""
    for child in ast.iter_child_nodes(node):
        runs = at_start and not isinstance(child, Function | ast.Lambda) and not is_for_types_only(child)
        yield child, runs
        yield from statements(child, runs)


@cache
def imports(source: Source) -> tuple[Import, ...]:
    """All of a file, however late they happen."""
    return tuple(found_imports(source))


def found_imports(source: Source) -> Iterator[Import]:
    for node, at_start in statements(source.tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, "", node.lineno, at_start) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = source.package.split(".")
                base = ".".join([*parents[: len(parents) - node.level + 1], *([base] if base else [])])
            yield from (Import(base, alias.name, node.lineno, at_start) for alias in node.names)
        elif isinstance(node, ast.Call) and last_name(node.func).endswith(("import_module", "__import__")):
            names = [value.value for value in node.args[:1] if isinstance(value, ast.Constant)]
            yield from (Import(str(name), "", node.lineno, at_start) for name in names)


def imports_upward(root: Path) -> list[str]:
    return [
        f"{source.path}:{found.line}: {source.top} must not import {found.top}"
        for source in sources(root)
        if source.top in MAY_IMPORT
        for found in imports(source)
        if found.top in OURS - {source.top} - MAY_IMPORT[source.top]
    ]


def loaded_at_start(root: Path) -> set[str]:
    """Modules of ours that run before a command has read its arguments, and all of curation and crawler."""
    known = {source.module: source for source in sources(root)}
    waiting = [name for name in known if name == "app" or name in PACKAGES or name.endswith(".__main__")]
    waiting += [name for name in known if name.partition(".")[0] in {"crawler", "curation"}]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in known and name not in seen:
            seen.add(name)
            for found in imports(known[name]):
                if found.at_start:
                    waiting += [found.module, f"{found.module}.{found.name}", found.top]
    return seen


def loads_heavy_packages_at_start(root: Path) -> list[str]:
    early = loaded_at_start(root)
    return [
        f"{source.path}:{found.line}: {found.top} is loaded before it is needed"
        for source in sources(root)
        if source.module in early
        for found in imports(source)
        if found.at_start and found.top in LATE
    ]


def is_a_drawer(root: Path) -> list[str]:
    parts = {(source.path, part) for source in sources(root) for part in source.module.split(".")}
    return [f"{path}: {part!r} says nothing about what is inside" for path, part in sorted(parts) if part in DRAWERS]


def functions(root: Path) -> Iterator[tuple[Source, Function]]:
    for source in sources(root):
        yield from ((source, node) for node in nodes(source) if isinstance(node, Function))


def is_too_long(root: Path) -> list[str]:
    files = [f"{source.path}: {source.lines} lines" for source in sources(root) if source.lines >= LINES_A_FILE]
    return files + [
        f"{source.path}:{node.lineno}: {node.name} has {length} lines"
        for source, node in functions(root)
        if (length := (node.end_lineno or 0) - node.lineno + 1) > LINES_A_FUNCTION
    ]


def is_a_command(node: Function) -> bool:
    """Typer reads the options of a command off its parameters: there, many are right."""
    return any(
        ast.unparse(decorator).split("(")[0].endswith((".command", ".callback")) for decorator in node.decorator_list
    )


def has_too_many_parameters(root: Path) -> list[str]:
    return [
        f"{source.path}:{node.lineno}: {node.name} takes {count} parameters"
        for source, node in functions(root)
        if not is_a_command(node)
        and (count := len([name.arg for name in all_parameters(node) if name.arg not in {"self", "cls"}])) > PARAMETERS
    ]


def all_parameters(node: Function) -> list[ast.arg]:
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]


def imports_torchvision_past_its_door(root: Path) -> list[str]:
    return [
        f"{source.path}:{found.line}: import torchvision from {ONE_DOOR}"
        for source in sources(root)
        if source.path != ONE_DOOR
        for found in imports(source)
        if found.top == "torchvision"
    ]


def unpickles(root: Path) -> list[str]:
    faults = [
        f"{source.path}:{found.line}: {found.module} can run code out of a file"
        for source in sources(root)
        for found in imports(source)
        if found.top in UNPICKLING or (found.module, found.name) in {("torch", "load"), ("torch", "save")}
    ]
    for source in sources(root):
        for node in nodes(source):
            if (
                isinstance(node, ast.Attribute)
                and node.attr in {"load", "save"}
                and ast.unparse(node) in {"torch.load", "torch.save"}
            ):
                faults.append(f"{source.path}:{node.lineno}: {ast.unparse(node)} is pickle")
            elif isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
                faults.append(f"{source.path}:{node.value.lineno}: allow_pickle")
    return faults


def replaced_objects(source: Source) -> Iterator[tuple[ast.expr, int]]:
    """What `monkeypatch.setattr(x, …)`, `patch(x)`, `setattr(x, …)` and `x.name = …` change."""
    for node in nodes(source):
        if isinstance(node, ast.Call) and node.args:
            if not last_name(node.func).endswith(("setattr", "delattr", "patch", "object")):
                continue
            called = ast.unparse(node.func)
            if (
                called.endswith(("monkeypatch.setattr", "monkeypatch.delattr", "patch", "patch.object"))
                or called == "setattr"
            ):
                yield node.args[0], node.lineno
        elif isinstance(node, ast.Assign):
            yield from ((goal.value, node.lineno) for goal in node.targets if isinstance(goal, ast.Attribute))


def patches_our_code(root: Path) -> list[str]:
    faults = []
    for source in sources(root):
        ours = {name for found in imports(source) if found.top in OURS for name in (found.name or found.top,)}
        faults += [
            f"{source.path}:{line}: {ast.unparse(target)} is ours and is replaced; hand it in as an argument"
            for target, line in replaced_objects(source)
            if ast.unparse(target).strip("'\"").split(".")[0]
            in (ours | (OURS if isinstance(target, ast.Constant) else set()))
        ]
        faults += [f"{source.path}:{found.line}: unittest.mock" for found in imports(source) if is_mock(found)]
    return faults


def is_mock(found: Import) -> bool:
    return found.top == "mock" or f"{found.module}.{found.name}".startswith("unittest.mock")


RULES: list[Callable[[Path], list[str]]] = [
    imports_upward,
    loads_heavy_packages_at_start,
    is_a_drawer,
    is_too_long,
    has_too_many_parameters,
    imports_torchvision_past_its_door,
    unpickles,
    patches_our_code,
]
