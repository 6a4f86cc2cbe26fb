"""Tags of notebook cells that mean something here, beside papermill's `parameters`."""

from __future__ import annotations

# Cells of this tag are in no report and not run for one: who opens the notebook runs them.
ANALYST_TAG = "analyst"
