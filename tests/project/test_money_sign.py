"""No code writes a dollar sign itself: the report of a company in another currency is read in `test_report`."""

import ast
import json
import re
from pathlib import Path

HOUSE = Path(__file__).parents[2]
PACKAGE = HOUSE / "src" / "analysis"
# Where a dollar is one: published figures, markdown and its formulas, and reading exports.
WITH_DOLLARS = {
    "money.py",
    "claims.py",
    "worked_example.py",
    "markdown.py",
    "html.py",
    "formats.py",
}


def words_of(file: Path) -> list[str]:
    """Return the texts in a module's code that it could show: no docstring, no pattern, no bound parameter."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    docs = {
        id(n.value)
        for n in ast.walk(tree)
        if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)
    }
    texts = [
        n.value
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in docs
    ]
    return [
        t
        for t in texts
        if (re.search(r"\$(?![a-z_]+\b)(?!\")(?!$)", t) and not t.startswith("^"))
        or t in {"$", "${"}
    ]


def test_no_module_writes_a_dollar_itself():
    """Amounts in words come from `money`; reading exports and simulating them is another matter."""
    rooms = [
        f
        for f in PACKAGE.rglob("*.py")
        if not {"sources", "cleaning", "simulate"} & set(f.relative_to(PACKAGE).parts)
    ]
    found = {f.name: words_of(f) for f in rooms if f.name not in WITH_DOLLARS and words_of(f)}
    assert found == {}


def test_no_notebook_computes_with_a_dollar():
    for file in sorted((HOUSE / "notebooks").glob("*.ipynb")):
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        assert "$" not in code, file.name
