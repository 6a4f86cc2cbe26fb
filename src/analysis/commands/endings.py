"""How a command ends: its exit code, and the message on a wrong name or setting."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from analysis.project import paths
from analysis.project.errors import CrmDataError
from analysis.project.terminal import complain

if TYPE_CHECKING:
    from collections.abc import Iterator

DONE, REFUSED, USAGE, FAILED, BUG, LOCKED, INTERRUPTED = 0, 1, 2, 3, 70, 75, 130

Dataset = Annotated[str, typer.Argument(metavar="DATASET", help="a folder of data/raw")]


def end(code: int, message: str) -> NoReturn:
    """Say what is wrong and end with an exit code."""
    complain(message)
    raise typer.Exit(code)


@contextlib.contextmanager
def usage() -> Iterator[None]:
    """Turn an error in a name, setting, quarter or parameter into its message and exit code."""
    try:
        yield
    except CrmDataError:
        raise
    except (ValueError, FileNotFoundError) as error:
        end(USAGE, str(error))


def require_folder(dataset: str) -> str:
    """Return `dataset` if it has a folder; otherwise say which have, and the nearest."""
    from analysis.project.nearest_name import did_you_mean

    with usage():
        here, better_name = paths.dataset_names(), paths.misnamed_folder(dataset)
    if dataset in here:
        return dataset
    if better_name:
        end(
            USAGE,
            f"dataset must be lower-case letters, digits, - or _ (at most 40), got {dataset!r}: "
            f"the folder stands in data/raw, so rename it, for example to {better_name}.",
        )
    end(
        USAGE,
        f"no dataset {dataset!r}: there is no such folder in "
        f"data/raw.{did_you_mean(dataset, here)} "
        f"Known: {', '.join(here) or 'none; `alignment-roi demo` writes one'}.",
    )
