"""Labelled pictures: read, checked, parted and kept track of."""
