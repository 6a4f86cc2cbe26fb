"""A parameter of a notebook that nobody may read: it stands in the environment and nowhere else.

A notebook's cell of parameters annotates it, ``token: Secret = Secret("token")``, and a run is
given its value by ``-p token=...`` or, seen by no list of processes, in the environment.  Whatever
shows the object shows no value, and what a run keeps went through `hidden_secrets`.
"""

from __future__ import annotations

import os

from analysis.project.hidden_secrets import FEWEST_CHARACTERS, HIDDEN, PARAMETER_PREFIX
from analysis.project.parameters import ParameterError

KIND = "Secret"  # as the cell of parameters annotates it


def secret_variable(name: str) -> str:
    """Return the variable of the environment in which the secret parameter `name` stands.

    Examples
    --------
    >>> secret_variable("token")
    'ALIGNMENT_ROI_SECRET_TOKEN'
    """
    return f"{PARAMETER_PREFIX}{name.upper()}"


def hide_parameter(name: str, value: str) -> None:
    """Put the value of a secret parameter where this process and its kernels look for it.

    Raises
    ------
    ValueError
        If it is so short that it stands in many a word: it could be hidden nowhere.
    """
    if len(value) < FEWEST_CHARACTERS:
        raise ValueError(
            f"secret parameter {name} must have {FEWEST_CHARACTERS} characters or more"
        )
    os.environ[secret_variable(name)] = value


class Secret:
    """The secret parameter called `name`; its value is asked for where it is used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def reveal(self) -> str:
        """Return the value.

        Raises
        ------
        ParameterError
            If none is given, or one so short that it could be hidden nowhere.
        """
        value = os.environ.get(secret_variable(self._name), "")
        if len(value) < FEWEST_CHARACTERS:
            raise ParameterError(
                f"{self._name} has no value of {FEWEST_CHARACTERS} characters or more: give it as "
                f"{secret_variable(self._name)} in the environment"
            )
        return value

    def __repr__(self) -> str:
        """Show that there is a secret, and nothing of it."""
        return HIDDEN
