"""The network and how it learns; with `release.export` the only place that imports torch."""
