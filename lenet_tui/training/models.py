"""The networks: LeNet-5 and an AlexNet for 28×28 images, each with ``features`` and ``classifier`` in sight."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from torch import Tensor, nn

from lenet_tui.config import CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from lenet_tui.config import RunConfig


class Network(nn.Module):
    """Convolutional ``features``, then a fully connected ``classifier`` whose last layer gives the logits."""

    def __init__(self, features: nn.Sequential, classifier: nn.Sequential) -> None:
        super().__init__()
        self.features = features
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, 10) of ``images`` (N, 1, 28, 28), normalised float32."""
        return self.classifier(self.features(images))  # type: ignore[no-any-return]

    def penultimate(self, images: Tensor) -> Tensor:
        """Return what the last layer sees and t-SNE draws, (N, F) with F = 84 for LeNet and 512 for AlexNet."""
        return self.classifier[:-1](self.features(images))  # type: ignore[no-any-return]


class LeNet(Network):
    """LeNet-5, after LeCun et al. 1998, "Gradient-based learning applied to document recognition", fig. 2.

    28×28 → 6 maps (5×5, padding 2) → pool → 6@14×14 → 16 maps (5×5) → pool → 16@5×5 → 120 → 84 → 10;
    61,706 parameters. As everybody does today, and unlike 1998: every map of the second convolution sees all six
    of the first, poolings have no weights, and the output is linear instead of radial basis functions.
    """

    def __init__(self, activation: str = "relu", pooling: str = "max", dropout: float = 0.0) -> None:
        act = _ACTIVATIONS[activation]
        super().__init__(
            nn.Sequential(
                nn.Conv2d(1, 6, kernel_size=5, padding=2),
                *_pool_and_activate(nn.MaxPool2d(2) if pooling == "max" else nn.AvgPool2d(2), act()),
                nn.Conv2d(6, 16, kernel_size=5),
                *_pool_and_activate(nn.MaxPool2d(2) if pooling == "max" else nn.AvgPool2d(2), act()),
                nn.Flatten(),
            ),
            nn.Sequential(
                *_dropout(dropout),
                nn.Linear(400, 120),
                act(),
                *_dropout(dropout),
                nn.Linear(120, 84),
                act(),
                nn.Linear(84, CLASSES),
            ),
        )


class AlexNet(Network):
    """AlexNet for 28×28 images, after Krizhevsky, Sutskever & Hinton 2012; 632,250 parameters.

    The paper's sequence of layers with its geometry made to fit: strides shrink because the image is 8 times
    smaller, convolutions have a quarter of the maps and fully connected layers an eighth of the units.

    ======= =========================== ==========================
    layer   original, 224×224×3         here, 28×28×1
    ======= =========================== ==========================
    conv1   96 @ 11×11, stride 4        24 @ 5×5, padding 2
    pool1   3×3, stride 2 → 27×27       3×3, stride 2 → 13×13
    conv2   256 @ 5×5, padding 2        64 @ 5×5, padding 2
    pool2   3×3, stride 2 → 13×13       3×3, stride 2 → 6×6
    conv3   384 @ 3×3, padding 1        96 @ 3×3, padding 1
    conv4   384 @ 3×3, padding 1        96 @ 3×3, padding 1
    conv5   256 @ 3×3, padding 1        64 @ 3×3, padding 1
    pool5   3×3, stride 2 → 6×6 (9216)  3×3, stride 2 → 2×2 (256)
    fc6     4096, dropout 0.5 before    512, dropout 0.5 before
    fc7     4096, dropout 0.5 before    512, dropout 0.5 before
    fc8     1000                        10
    ======= =========================== ==========================

    Left out, as in later descriptions of the network: the split over two GPUs and local response normalisation.
    """

    def __init__(self, activation: str = "relu", pooling: str = "max", dropout: float = 0.5) -> None:
        act = _ACTIVATIONS[activation]

        def pool() -> nn.Module:
            return nn.MaxPool2d(3, stride=2) if pooling == "max" else nn.AvgPool2d(3, stride=2)

        super().__init__(
            nn.Sequential(
                nn.Conv2d(1, 24, kernel_size=5, padding=2),
                *_pool_and_activate(pool(), act()),
                nn.Conv2d(24, 64, kernel_size=5, padding=2),
                *_pool_and_activate(pool(), act()),
                nn.Conv2d(64, 96, kernel_size=3, padding=1),
                act(),
                nn.Conv2d(96, 96, kernel_size=3, padding=1),
                act(),
                nn.Conv2d(96, 64, kernel_size=3, padding=1),
                *_pool_and_activate(pool(), act()),
                nn.Flatten(),
            ),
            nn.Sequential(
                *_dropout(dropout),
                nn.Linear(256, 512),
                act(),
                *_dropout(dropout),
                nn.Linear(512, 512),
                act(),
                nn.Linear(512, CLASSES),
            ),
        )


_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"relu": lambda: nn.ReLU(inplace=True), "tanh": nn.Tanh}

MODELS: dict[str, type[LeNet | AlexNet]] = {"lenet": LeNet, "alexnet": AlexNet}


def build(config: RunConfig) -> Network:
    """Return the network of ``config`` with fresh weights, drawn from torch's global generator.

    Weights are uniform with the variance 2 / (inputs + outputs), biases 0 (Glorot & Bengio 2010, eq. 16).
    """
    network = MODELS[config.model](config.activation, config.pooling, config.dropout)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(cast("Tensor", layer.bias))
    return network


def parameter_count(network: nn.Module) -> int:
    """Return the number of trained parameters."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def _pool_and_activate(pool: nn.Module, activation: nn.Module) -> tuple[nn.Module, nn.Module]:
    # A rising activation and a maximum can change places without changing the result, and after pooling there is
    # a quarter left to activate; a mean can't change places.
    return (pool, activation) if isinstance(pool, nn.MaxPool2d) else (activation, pool)


def _dropout(share: float) -> tuple[nn.Module, ...]:
    return (nn.Dropout(share),) if share > 0 else ()
