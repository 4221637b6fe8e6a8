"""What can go wrong in a way that a person can mend: one clear line each, never a traceback.

Everything else that is raised is a bug of ours.
"""


class LabError(Exception):
    """The work could not be done (exit code 1); the message says why and what would help."""

    exit_code = 1


class UsageError(LabError):
    """What was asked for is wrong (exit code 2); the message names it and says what would be right."""

    exit_code = 2
