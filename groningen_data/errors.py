"""The one error type that people read: it names the dataset, the problem and the way out.

Messages are written for the person who must act; they never carry personal values or credentials.
"""


class GroningenError(Exception):
    """A failure with an explanation.

    Args:
        dataset: The table, source or file that the problem is about.
        problem: What is wrong, in one sentence, with the numbers that matter.
        way_out: What the reader can do about it.
    """

    def __init__(self, dataset: str, problem: str, way_out: str) -> None:
        self.dataset = dataset
        self.problem = problem
        self.way_out = way_out
        super().__init__(f"{dataset}: {problem} → {way_out}")

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return type(self), (self.dataset, self.problem, self.way_out)


class ContractError(GroningenError):
    """A contract is incomplete or contradicts itself."""


class PayloadError(GroningenError):
    """A payload cannot be read as what its source promises."""


class LakehouseError(GroningenError):
    """The lakehouse cannot do what was asked (locked, missing, not migratable)."""


class SettingsError(GroningenError):
    """A setting or profile is missing or has an impossible value."""


class SourceError(GroningenError):
    """A source cannot be reached, refuses, or answers something it does not promise."""


class RuleError(GroningenError):
    """A signal rule may not be used: it lacks what the law asks for, or it asks what it may not."""
