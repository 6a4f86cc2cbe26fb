"""Which part of the work is this machine's, and of which teams packs are asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from analysis.store.company import Company

Item = TypeVar("Item")
SHARD = re.compile(r"([1-9][0-9]{0,4})/([1-9][0-9]{0,4})")


class Shard(NamedTuple):
    """The `part`-th, from 1, of `n_parts` parts of the work."""

    part: int
    n_parts: int

    def take(self, items: Sequence[Item]) -> list[Item]:
        """Return this part's items; each of `items` is in exactly one part.

        Examples
        --------
        >>> Shard(2, 2).take(["a", "b", "c"])
        ['b']
        """
        return list(items[self.part - 1 :: self.n_parts])


def parse_shard(text: str | None) -> Shard:
    """Return the shard that ``i/n`` names, all of the work without a text.

    Raises
    ------
    ValueError
        If it is no such part.
    """
    if text is None:
        return Shard(1, 1)
    parts = SHARD.fullmatch(text)
    if parts is None or int(parts[1]) > int(parts[2]):
        raise ValueError(f"shard must be i/n with i from 1 to n, such as 2/4, got {text!r}")
    return Shard(int(parts[1]), int(parts[2]))


class TeamChoice(NamedTuple):
    """Teams whose packs are asked for: the `named` ones, or each, and which shard of them."""

    named: tuple[str, ...] = ()
    is_each: bool = False
    shard: str | None = None

    @property
    def is_asked(self) -> bool:
        """Whether packs are asked for at all, in place of a report."""
        return bool(self.named or self.is_each)

    def choose(self, company: Company) -> tuple[Company, list[str]]:
        """Return the company and the teams whose packs are made here.

        Raises
        ------
        ValueError
            If a team is not in the data or had no rep in the quarter, or no team had.
        """
        from analysis.chapters.team_pack.company_side import packed_teams  # noqa: PLC0415 - heavy
        from analysis.store.company import of_team  # noqa: PLC0415

        teams = packed_teams(company)
        for team in self.named:
            of_team(company, team)
            if team not in teams:
                raise ValueError(f"team {team!r} had no rep in {company.quarter}: it has no pack")
        if not teams:
            raise ValueError(
                f"{company.dataset}: no rep is linked to a team in {company.quarter}, so there are "
                "no packs. Export UserRole.csv or fill in rep_team_history.csv."
            )
        wanted = teams if self.is_each else list(dict.fromkeys(self.named))
        return company, parse_shard(self.shard).take(wanted)


class ReportOrder(NamedTuple):
    """What was asked of each report or pack, whatever the dataset."""

    quarters: list[str]
    parameters: dict[str, str]
    as_of: dt.date | None
    workers: int
    force: bool
    of_teams: TeamChoice = TeamChoice()
    dask: str | None = None  # address of a scheduler whose workers make the packs
    is_pulled: bool = False  # from its warehouse first
    is_explained: bool = False  # what would run and why, and nothing runs
