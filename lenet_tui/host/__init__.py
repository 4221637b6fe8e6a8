"""The machine: hardware, processes, folders, files and the environment."""
