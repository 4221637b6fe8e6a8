"""Training: one loop (`loop`), and what it is made of: objective, schedule, augmentation, evaluation, checkpoint."""
