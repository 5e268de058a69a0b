"""The errors of Farz that a user can cause or cure; programming errors stay ordinary exceptions.

FarzError
└── BadInputError            one clear sentence, exit code 2
    ├── ConfigurationError   an unknown key, a value out of range
    ├── BundleError          a model bundle that cannot be used
    ├── SignatureError       a signing key or signature that is malformed or does not fit
    ├── ShelfError           a shelf of models that cannot be read or changed as asked
    ├── DataFolderError      a labelled folder or class map that cannot be read
    ├── SourceError          a camera, video or picture that cannot be opened
    └── StoreError           a store of events that cannot be opened, read or written
        └── StoreFullError   there is no room on the disk
"""


class FarzError(Exception):
    """Root of all errors that Farz raises on purpose."""


class BadInputError(FarzError):
    """What the user gave cannot be used; the message is the sentence to show."""


class ConfigurationError(BadInputError):
    """The configuration names an unknown key or a value out of range."""


class BundleError(BadInputError):
    """A model bundle is missing, incomplete, or made for other classes."""


class SignatureError(BadInputError):
    """A signing key or a signature is malformed, or does not fit what it should."""


class ShelfError(BadInputError):
    """A shelf of models cannot be read, or not be changed as asked."""


class DataFolderError(BadInputError):
    """A folder of labelled pictures is missing or malformed."""


class SourceError(BadInputError):
    """A picture source cannot be opened or holds nothing usable."""


class StoreError(BadInputError):
    """A store of events cannot be opened, read or written."""


class StoreFullError(StoreError):
    """There is no room left on the store's disk."""
