"""Looking into a trained run: a helper process that has torch, asked over its pipes, and what it answers.

Only `lenet_tui.inspection.messages` is for the app's process; everything else here wants numpy or torch.
"""
