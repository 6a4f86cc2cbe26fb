"""One executed notebook → PDF, from JupyterLab's export menu or `jupyter nbconvert --to
alignment_pdf`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbconvert.exporters import Exporter
from traitlets import default

from analysis.project.scratch_folder import scratch_folder
from analysis.report import document, pdf

if TYPE_CHECKING:
    from nbformat import NotebookNode

EPOCH = dt.datetime(1980, 1, 1, tzinfo=dt.UTC)  # an export is a draft: it has no date of its own


class AlignmentPdfExporter(Exporter):
    """The chapter that a notebook makes of a report, without cover."""

    export_from_notebook = "Alignment PDF"
    output_mimetype = "application/pdf"

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return ".pdf"

    def from_notebook_node(  # type: ignore[override]
        self, nb: NotebookNode, resources: Any | None = None, **kwargs: Any
    ) -> tuple[bytes, dict[str, Any]]:
        """Return the PDF of a notebook that was run.

        Bytes, as nbconvert's own PDF exporters return.
        """
        notebook, resources = super().from_notebook_node(nb, resources, **kwargs)
        source = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
        name = str(resources.get("metadata", {}).get("name", "notebook"))
        with scratch_folder() as folder:
            path = folder / f"{Path(name).name}.ipynb"
            path.write_text(source, encoding="utf-8")
            draft = document.make_document(
                [path],
                title=name,
                company="Draft of one chapter",
                owner="alignment-roi",
                audience="whoever works on it",
                quarter_label="Draft",
                as_of="",
                notices=[],
                facts={"run_id": f"draft-{hashlib.sha256(source.encode()).hexdigest()[:12]}"},
                missing=[],
            )
        return pdf.render_pdf(draft, timestamp=EPOCH), resources
