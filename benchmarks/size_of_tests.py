"""Print how often each test rejects a programme that does nothing, at nominal 5 %."""

from __future__ import annotations

from studies.size_of_tests_study import rejection_shares

N_PANELS = 1_000


def main() -> None:
    """Print a line a design: teams, treated teams, and the share that each test rejects."""
    for n_teams, n_treated in ((12, 6), (20, 3)):
        shares = rejection_shares(N_PANELS, n_teams, n_treated)
        listed = ", ".join(f"{name} {share:.3f}" for name, share in shares.items())
        print(f"{n_teams} teams, {n_treated} treated, {N_PANELS:,} panels: {listed}")


if __name__ == "__main__":
    main()
