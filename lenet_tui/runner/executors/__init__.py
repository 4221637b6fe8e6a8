"""Where runs are worked on: `base` is what the scheduler asks for, each other module is one way to do it."""
