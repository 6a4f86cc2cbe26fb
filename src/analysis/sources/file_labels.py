"""Names of files in tables, audits and messages.

Its name, without the addresses people put there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ADDRESS = re.compile(r"[^\s@/\[\]()]+(?:@|\uff20|%40)[\w-]+(?:\.[\w-]+)*", re.IGNORECASE)


def file_labels(files: Iterable[Path]) -> dict[Path, str]:
    """Return a label of each file, no two alike.

    Its name, an e-mail address in it as ``[address 1]``.
    """
    ordered = sorted(files)
    taken, labels = {file.name for file in ordered}, {}
    for file in ordered:
        if not ADDRESS.search(file.stem):
            labels[file] = file.name
            continue
        n = 1
        while (label := ADDRESS.sub(f"[address {n}]", file.stem) + file.suffix) in taken:
            n += 1
        taken.add(label)
        labels[file] = label
    return labels
