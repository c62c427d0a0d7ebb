"""Whether a drawn option can matter: what else would a claim's program show, had another one been drawn?"""

import torch

from gnomon.check.inputs import draw
from gnomon.check.strategies import draw_examples
from gnomon.check.task import Compilations
from gnomon.compute.compiled import K
from gnomon.compute.lower import shape_of
from gnomon.say.domain import Choice

CPU = torch.device("cpu")


def idle(claim, structures=32, points=9):
    """The options of a claim's choices, as ``name=label``, that show what another one shows at whatever is drawn.

    An option matters if for some drawn structure another label gives outputs of another shape, or other values; or
    moves a side of an inequality, that of the observation 0.
    """
    examples = draw_examples(claim, structures, seed=1)
    compiled = Compilations(claim)
    choices = [domain for domain in claim.structure if isinstance(domain, Choice) and len(domain.options) > 1]
    return [
        f"{choice.name}={label}"
        for choice in choices
        for label in choice.options
        if not any(_matters(compiled, example, choice, label, points) for example in examples)
    ]


def _matters(compiled, example, choice, label, points):
    drawn = example.structure[choice.name]
    if drawn == label:
        return False
    ours, theirs = compiled(example.structure), compiled({**example.structure, choice.name: label})
    tensors = [domain for domain in compiled.claim.inputs if not domain.host]
    shaped = [[shape_of(domain, one.bindings) for domain in tensors] for one in (ours, theirs)]
    if ours.shapes != theirs.shapes or shaped[0] != shaped[1]:
        return True
    generator = torch.Generator().manual_seed(example.seed)
    batch = draw(compiled.claim.inputs, ours.bindings, example.host, points, torch.float64, generator)
    for (value, bound), (other, room) in zip(*(_shown(one, batch) for one in (ours, theirs)), strict=True):
        if value.shape != other.shape or bool(((value - other).abs() > K * (bound + room)).any()):
            return True  # infinite where either must be excused
    return False


def _shown(compiled, batch):
    """The outputs with their bounds, and what an inequality exceeds by where nothing is observed."""
    value, bound = compiled.truth(batch, torch.float64, CPU)
    if not compiled.sides:
        return ((value, bound),)
    judged = compiled.judge(batch, torch.zeros_like(value), torch.float64, CPU)
    return (value, bound), (judged.excess, judged.budget / K)
