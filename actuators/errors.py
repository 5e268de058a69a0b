"""The errors of the actuators; refusals are not among them, they are answers.

FarzError
└── DriverError   the valve hardware did not do what it was told
"""

from sorter.errors import FarzError


class DriverError(FarzError):
    """The valve hardware did not do what it was told, or cannot be reached."""
