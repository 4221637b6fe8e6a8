"""Every optimizer takes the same steps as torch's own, without the import of torch's compiler."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from lenet_tui.config import RunConfig
from lenet_tui.training.optimizer import make_optimizer, step_function

PLAIN = {
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.01, weight_decay=0.1),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, lr=0.01, weight_decay=0.1),
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.01, weight_decay=0.1, momentum=0.9),
    "rmsprop": lambda parameters: torch.optim.RMSprop(parameters, lr=0.01, weight_decay=0.1),
}
CODE = """
import sys, torch
from lenet_tui.config import RunConfig
from lenet_tui.training.optimizer import make_optimizer
layer = torch.nn.Linear(2, 2)
optimizer = make_optimizer(RunConfig(), layer, torch.device("cpu"))
layer(torch.ones(1, 2)).sum().backward()
optimizer.step()
optimizer.zero_grad()
optimizer.load_state_dict(optimizer.state_dict())
print("torch._dynamo" in sys.modules)
"""


@pytest.mark.parametrize("is_direct", [False, True], ids=["step", "step_function"])
@pytest.mark.parametrize("name", PLAIN)
def test_steps_are_torch_s(name: str, is_direct: bool) -> None:
    torch.manual_seed(0)
    ours, theirs = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    theirs.load_state_dict(ours.state_dict())
    config = RunConfig(optimizer=name, lr=0.01, weight_decay=0.1)
    optimizers = make_optimizer(config, ours, torch.device("cpu")), PLAIN[name](theirs.parameters())
    for _ in range(3):
        for network, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            network(torch.ones(4, 3)).square().sum().backward()
            (step_function(optimizer) if is_direct and network is ours else optimizer.step)()
    torch.testing.assert_close(ours.weight, theirs.weight)
    assert ours.weight.requires_grad


def test_the_compiler_of_torch_is_not_imported() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "False\n"
