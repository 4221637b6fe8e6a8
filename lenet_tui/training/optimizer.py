"""The optimizer of a run."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, cast

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from lenet_tui.config import RunConfig


def make_optimizer(config: RunConfig, network: nn.Module, device: torch.device) -> torch.optim.Optimizer:
    """Return the optimizer of ``config`` over all parameters, fused where torch has it: one kernel for all of them."""
    _do_not_import_the_compiler()
    optimizer = _make(config, network, device)
    step: Any = type(optimizer).step
    while hasattr(step, "__wrapped__"):  # what is wrapped around it imports the compiler, too
        step = step.__wrapped__
    optimizer.step = types.MethodType(torch.no_grad()(step), optimizer)  # type: ignore[method-assign]
    return optimizer


def _make(config: RunConfig, network: nn.Module, device: torch.device) -> torch.optim.Optimizer:
    parameters, lr, decay = network.parameters(), config.lr, config.weight_decay
    fused = device.type in ("cpu", "cuda", "mps")
    if config.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=lr, weight_decay=decay, fused=fused)
    if config.optimizer == "adamw":
        return torch.optim.AdamW(parameters, lr=lr, weight_decay=decay, fused=fused)
    if config.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=lr, weight_decay=decay, momentum=config.momentum, fused=fused)
    return torch.optim.RMSprop(parameters, lr=lr, weight_decay=decay)


def step_function(optimizer: torch.optim.Optimizer) -> Callable[[], Any]:
    """Return what makes a step of ``optimizer``, whose state and parameters stay where they are while it is used.

    For Adam and AdamW it is torch's kernel without what `torch.optim` does around it, which takes three times as long.
    """
    if not isinstance(optimizer, torch.optim.Adam) or not optimizer.defaults["fused"]:  # AdamW is one, too
        return optimizer.step
    (group,) = optimizer.param_groups
    parameters: list[Tensor] = group["params"]
    kernel = torch._fused_adamw_ if group["decoupled_weight_decay"] else torch._fused_adam_
    lists: list[list[Tensor]] = []
    counts: list[Tensor] = []

    @torch.no_grad()
    def step() -> None:
        if not lists and not all(optimizer.state[parameter] for parameter in parameters):
            optimizer.step()  # makes the state
            return
        if not lists:
            lists[:] = [
                [optimizer.state[parameter][name] for parameter in parameters] for name in ("exp_avg", "exp_avg_sq")
            ]
            counts[:] = [_side_by_side(optimizer, parameters)]
            lists.append([optimizer.state[parameter]["step"] for parameter in parameters])
        averages, squares, steps = lists
        counts[0].add_(1)
        kernel(
            parameters,
            [cast("Tensor", parameter.grad) for parameter in parameters],
            averages,
            squares,
            [],
            steps,
            lr=group["lr"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
        )

    return step


def _side_by_side(optimizer: torch.optim.Optimizer, parameters: list[Tensor]) -> Tensor:
    """Put the step counts of all parameters into one tensor, so that they are added to at once, and return it."""
    counts = torch.stack([optimizer.state[parameter]["step"] for parameter in parameters])
    for number, parameter in enumerate(parameters):
        optimizer.state[parameter]["step"] = counts[number]
    return counts


def _do_not_import_the_compiler() -> None:
    """Keep torch from importing its compiler, which is not used here, with the first optimizer: 1.3 s, 70 MB.

    torch hides these methods from the compiler, and imports it to do so, unless the attribute is there
    (``torch/_compile.py``). Where a version of torch has no such attribute, this changes nothing.
    """
    for name in ("add_param_group", "zero_grad", "state_dict", "load_state_dict"):
        method = getattr(getattr(torch.optim.Optimizer, name), "__wrapped__", None)
        if method is not None and not hasattr(method, "__dynamo_disable"):
            setattr(method, "__dynamo_disable", method)
