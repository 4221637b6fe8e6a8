"""A terminal lab bench for LeNet and AlexNet on MNIST."""

__version__ = "0.1.0"
