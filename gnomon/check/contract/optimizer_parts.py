"""The parts that optimizers owe, by name."""

from __future__ import annotations

from gnomon.check.contract import grouped, resumed, shapes
from gnomon.check.contract.optimizers import Disguise
from gnomon.check.contract.part import Part
from gnomon.check.contract.recorded import Creation
from gnomon.check.contract.worn import Recipe, Worn


def recipe(creation: Creation) -> Recipe:
    """How the driver makes it."""
    return Recipe(creation.subject, creation.arguments[1:], creation.keywords)


class Resumable(Disguise):
    """Saved and loaded between steps; loading may round the state to the parameters' dtype, as torch's does."""

    def lacks(self, creation: Creation) -> str:
        able = all(hasattr(creation.made, name) for name in ("state_dict", "load_state_dict"))
        return "" if able else "it has no state_dict"

    def models(self) -> tuple[type[Worn], ...]:
        return Worn, resumed.Rounded


class WithClosure(Disguise):
    """Stepped with a closure."""

    def lacks(self, creation: Creation) -> str:
        return "" if resumed.takes_closure(creation.made) else "its step takes no closure"


class WithOptions(Disguise):
    """Among groups, or optimizers, with other options."""

    def lacks(self, creation: Creation) -> str:
        return "" if recipe(creation).changes() else "no option of it can be given otherwise"


class WithRate(Disguise):
    """With a learning rate that is set while it runs."""

    def lacks(self, creation: Creation) -> str:
        return "" if "lr" in recipe(creation).changes() else "it has no learning rate"


class Growing(Disguise):
    """With parameters that are added."""

    def lacks(self, creation: Creation) -> str:
        return "" if hasattr(creation.made, "add_param_group") else "no group can be added to it"


OPTIMIZER_PARTS: tuple[Part, ...] = (
    Resumable("saved and loaded", resumed.Resumed, "once its state was saved and loaded into a new one", steps=2),
    Disguise("copied between steps", resumed.Copied, "as a deep copy", steps=2),
    WithOptions("two groups as two optimizers", grouped.Grouped, "between groups that have other options"),
    WithOptions("another optimizer beside it", resumed.Beside, "while another with other options is stepped"),
    WithRate("learning rate set between steps", resumed.RateSet, "where the learning rate is set in its group"),
    Growing("groups added later", resumed.AddedLater, "for parameters that are added later"),
    Disguise("missing gradients", grouped.Missing, "beside parameters without a gradient", steps=2, near=True),
    Disguise("tensors whose gradient is 0", grouped.Zeros, "beside a gradient of 0", steps=2, near=True),
    Disguise("empty parameters", grouped.Empty, "beside parameters without entries", near=True),
    Disguise("parameters from a generator", grouped.Generated, "with parameters from a generator"),
    Disguise("skipped steps, gradients untouched", resumed.Skipped, "after a step that was left out", steps=2),
    WithClosure("steps with a closure", resumed.Closed, "with a closure"),
    Disguise("parameters with more axes", shapes.Boxed, "where parameters have more axes", wide=True),
    Disguise("parameters as vectors", shapes.Flat, "where parameters are vectors", scrambles=True),
    Disguise("parameters as matrices", shapes.Matrix, "where parameters are matrices", near=True, scrambles=True),
    Disguise("strided parameters", shapes.Scattered, "where parameters do not lie side by side", near=True),
    Disguise("parameters without an axis", shapes.Pieces, "for each coordinate alone", near=True, scrambles=True),
)
"""What is looked at for every optimizer."""
