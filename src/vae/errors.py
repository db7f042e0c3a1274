"""The error that a user can fix."""


class InputError(ValueError):
    """An error that the user can fix: the message names the setting, file, array or server, and what is required."""
