"""The machine below us: hardware, processes, folders, files and the environment."""
