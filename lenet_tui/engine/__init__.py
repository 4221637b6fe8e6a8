"""LeNet compiled for the processor: the C++ source, its loader, its registration with torch, and the choice."""
