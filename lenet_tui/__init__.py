"""A terminal lab bench for LeNet and AlexNet on MNIST."""

from lenet_tui.host import environment

__version__ = "0.1.0"

environment.settle()  # here, since this is the first that every process of ours imports
