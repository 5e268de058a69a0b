"""Where pictures come from: simulated belts, files and cameras behind one protocol."""

from vision.sources.opening import open_source
from vision.sources.source import FrameSource, FrameTicket

__all__ = ["FrameSource", "FrameTicket", "open_source"]
