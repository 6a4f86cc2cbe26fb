"""The house keeps its order: no circle, no name twice, few entries on top, names that say what a thing is."""

import ast
import re
from collections import Counter
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "src" / "analysis"
PARTICIPLES = re.compile(r"told|said|made|held|known|given|shown|asked|seen|kept|got|found|took")
FILES = sorted(PACKAGE.rglob("*.py"))
TREES = {
    ".".join(f.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(
        ".__init__"
    ): ast.parse(f.read_text(encoding="utf-8"))
    for f in FILES
}


def imports(tree: ast.Module) -> set[str]:
    """Return the modules of ours that a module imports, for its types alone too."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{name.name}" for name in node.names}
            found |= {name if name in TREES else node.module for name in whole}
    return found & set(TREES)


def names(tree: ast.Module) -> list[str]:
    """Return what a module calls its variables, arguments, functions and classes."""
    stored = [
        n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ]
    arguments = [n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)]
    defined = [
        n.name.strip("_").lower()
        for n in ast.walk(tree)
        if isinstance(n, ast.FunctionDef | ast.ClassDef)
    ]
    return [*stored, *arguments, *defined]


def test_no_module_imports_itself_by_way_of_others():
    """A module none of whose imports are left is taken out, until none is left at all."""
    graph = {name: imports(tree) - {name} for name, tree in TREES.items()}
    while ends := {name for name, others in graph.items() if not others}:
        graph = {name: others - ends for name, others in graph.items() if name not in ends}
    assert not graph


def test_no_public_class_stands_twice():
    classes = Counter(
        n.name
        for tree in TREES.values()
        for n in ast.walk(tree)
        if isinstance(n, ast.ClassDef) and not n.name.startswith("_")
    )
    assert not [name for name, n in classes.items() if n > 1]


def test_no_module_name_stands_twice_but_the_chapters_doors():
    stems = Counter(f.stem for f in FILES)
    assert not [name for name, n in stems.items() if n > 1 and name not in {"__init__", "chapter"}]


def test_there_are_at_most_fourteen_entries_on_top():
    """Of modules: a folder that an older version left behind holds none."""
    entries = {f.relative_to(PACKAGE).parts[0] for f in FILES} - {"__init__.py"}
    assert 0 < len(entries) <= 14


def test_no_name_is_a_bare_participle():
    assert not [n for tree in TREES.values() for n in names(tree) if PARTICIPLES.fullmatch(n)]


def test_no_file_is_longer_than_500_lines():
    assert not [f.name for f in FILES if len(f.read_text(encoding="utf-8").splitlines()) > 500]


def test_at_most_forty_names_are_put_into_sql_by_python():
    """What is written down stands in `.sql` files; the few statements left take quoted names."""
    word = re.compile(r"\b(select|create|copy|insert|update|delete)\b", re.IGNORECASE)
    strings = [n for tree in TREES.values() for n in ast.walk(tree) if isinstance(n, ast.JoinedStr)]
    holes = 0
    for string in strings:
        text = "".join(str(v.value) for v in string.values if isinstance(v, ast.Constant))
        if word.search(text):
            holes += sum(isinstance(v, ast.FormattedValue) for v in string.values)
    assert holes <= 40
