"""Parts of Farz that need further packages say in one sentence which, where those are missing."""

import importlib.util

from sorter.errors import ConfigurationError


def need_extra(extra: str, package: str, what_for: str) -> None:
    """Refuse to go on without a package of an extra.

    Args:
        extra: name of the extra in the project's metadata.
        package: one that comes with it.
        what_for: the configuration's key, or the command, that asks for it.

    Raises:
        ConfigurationError: if it is not installed.
    """
    if importlib.util.find_spec(package) is None:
        raise ConfigurationError(f"{what_for} needs the package {package}: pip install 'farz[{extra}]'")
