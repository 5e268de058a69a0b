"""What can go wrong when a picture of an item is asked for.

SpriteError(ValueError) is UnknownClassError or SpriteFolderError.
"""


class SpriteError(ValueError):
    """A picture of an item cannot be made."""


class UnknownClassError(SpriteError):
    """The class has no drawings."""


class SpriteFolderError(SpriteError):
    """A folder of cut-outs is missing or holds nothing usable."""
