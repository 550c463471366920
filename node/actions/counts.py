"""What became of the items that a pull, a push or a repair brought."""

from dataclasses import dataclass

from federation.opening import Item


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of items; those that are neither admitted nor quarantined changed nothing.

    `whole` are items to bring again with their packages; `left` were left out until tomorrow.
    """

    items: int = 0
    admitted: int = 0
    quarantined: int = 0
    left: int = 0
    whole: tuple[Item, ...] = ()

    def __add__(self, other: "Counts") -> "Counts":
        """Add up."""
        return Counts(
            self.items + other.items,
            self.admitted + other.admitted,
            self.quarantined + other.quarantined,
            self.left + other.left,
            self.whole + other.whole,
        )
