"""What a driver asked of a module, asked again of new ones that have had another life."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from gnomon.check.contract.part import same
from gnomon.check.contract.recorded import Asked, Creation, State, kept, mapped, owned
from gnomon.check.contract.resumed import reread

SEED = 0
"""What torch's generator is set to before each call, for modules that draw."""

Shown = list[Any]
Life = Callable[[nn.Module, Asked], nn.Module]


def new(creation: Creation, dtype: torch.dtype, device: torch.device) -> nn.Module:
    """Another module, made as the driver made its own."""
    with torch.random.fork_rng(devices=[]):
        made: nn.Module = creation.subject(*kept(creation.arguments), **kept(dict(creation.keywords)))
    return made.to(device, dtype)


def filled(module: nn.Module, state: State) -> nn.Module:
    """The module with this state, written where its own was."""
    with torch.no_grad():
        for name, value in owned(module).items():
            value.copy_(state[name])
    return module


def ask(module: nn.Module, asked: Asked, arguments: Any = None) -> Any:
    """What a module answers, with the same draws each time."""
    torch.manual_seed(SEED)
    given, keywords = (kept(asked.arguments), kept(asked.keywords)) if arguments is None else arguments
    called = module if asked.method == "forward" else getattr(module, asked.method)
    return called(*given, **keywords)


def answers(creation: Creation, life: Life, dtype: torch.dtype, device: torch.device) -> Shown:
    """All that the module answers and keeps: after each call what it returned, and its parameters and buffers.

    ``life`` says what befalls the module before each call; the one that it returns is asked.
    """
    module = new(creation, dtype, device)
    shown: Shown = []
    before: State = {}
    for asked in creation.asked:
        module.train(asked.training)
        if not before or differs(before, asked.state):
            filled(module, asked.state)  # the driver, and not the call before, set it
        module = life(module, asked)
        answer = ask(module, asked)
        before = kept(dict(owned(module)))
        shown.append((None if isinstance(answer, nn.Module) else kept(answer), before))
    return shown


def differs(one: Any, other: Any) -> bool:
    """Whether two nests differ in a tensor's shape, dtype or numbers, or in another leaf."""
    if isinstance(one, Tensor):
        if not isinstance(other, Tensor) or one.shape != other.shape or one.dtype != other.dtype:
            return True
        return not bool(same(one, other).all())
    if isinstance(one, dict):
        return not isinstance(other, dict) or one.keys() != other.keys() or any(differs(one[k], other[k]) for k in one)
    if isinstance(one, (tuple, list)):
        lengths = isinstance(other, (tuple, list)) and len(one) == len(other)
        return not lengths or any(map(differs, one, other))
    return isinstance(one, (int, float, str)) and one == one and one != other


def halved(value: Any) -> Any:
    """Other arguments of the same kind: all real numbers halved, in tensors of their own."""
    if isinstance(value, Tensor):
        return value.detach() / 2 if value.is_floating_point() else value.clone()
    return mapped(value, halved)


def cast(value: Any, dtype: torch.dtype) -> Any:
    """Arguments in another dtype."""
    if isinstance(value, Tensor):
        return value.detach().to(dtype) if value.is_floating_point() else value.clone()
    return mapped(value, lambda inner: cast(inner, dtype))


def with_others(module: nn.Module, asked: Asked, change: Callable[[Any], Any] = halved) -> None:
    """A call with other arguments; whatever it raises is not what is looked at."""
    try:
        ask(module, asked, (change(asked.arguments), change(dict(asked.keywords))))
    except Exception:
        return


# ---------------------------------------------------------------------- what befalls a module


def nothing(module: nn.Module, asked: Asked) -> nn.Module:
    """No more than the call."""
    return module


def copied(module: nn.Module, asked: Asked) -> nn.Module:
    """A deep copy is asked, and the original's state is spoilt."""
    twin = copy.deepcopy(module)
    spoil(owned(module))
    return twin


def called_before(module: nn.Module, asked: Asked) -> nn.Module:
    """It has been called with another state and other arguments, and was then given its state back."""
    state = kept(dict(owned(module)))
    filled(module, halved(state))
    for _ in range(2):
        with_others(module, asked)
    return filled(module, state)


def evaluated_before(module: nn.Module, asked: Asked) -> nn.Module:
    """It has been called in evaluation, and was then put back to the mode that it had."""
    module.eval()
    with_others(module, asked)
    return module.train(asked.training)


def cast_before(creation: Creation, dtype: torch.dtype, device: torch.device) -> Life:
    """It has been called in another dtype, and was then put back to its own."""
    other = torch.float32 if dtype == torch.float64 else torch.float64

    def life(module: nn.Module, asked: Asked) -> nn.Module:
        state = kept(dict(owned(module)))
        if any(value.is_floating_point() and value.dtype != dtype for value in state.values()):
            return module  # which would be rounded on the way back
        with_others(module.to(other), asked, lambda value: cast(value, other))
        return filled(module.to(dtype), state)

    return life


def spoil(state: Any) -> None:
    """Write over what should no longer be read."""
    with torch.no_grad():
        for value in state.values():
            value.fill_(torch.nan if value.is_floating_point() else 0)


def saved(creation: Creation, dtype: torch.dtype, device: torch.device) -> Life:
    """Its state is saved, as a part of a larger module's, and loaded into a new one, which is asked."""

    def life(module: nn.Module, asked: Asked) -> nn.Module:
        state = reread(nn.ModuleDict({"part": module}).state_dict())
        fresh = new(creation, dtype, device).train(asked.training)
        own, outer = owned(fresh), nn.ModuleDict({"part": fresh})
        if any(name in own and own[name].dtype != value.dtype for name, value in owned(module).items()):
            outer.load_state_dict(state, assign=True)  # without it torch would round what it loads
        else:
            outer.load_state_dict(state)
            spoil({name: value for name, value in state.items() if isinstance(value, Tensor)})
        return fresh

    return life


def beside(creation: Creation, dtype: torch.dtype, device: torch.device) -> Life:
    """Another module of its kind, with another state, is asked the same before."""
    other = new(creation, dtype, device)

    def life(module: nn.Module, asked: Asked) -> nn.Module:
        filled(other.train(asked.training), halved(asked.state))
        with_others(other, asked, kept)
        return module

    return life
