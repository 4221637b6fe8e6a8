"""Panel 1: the form that describes runs and queues them."""
