"""The network and how it learns; with `release.export` the only place that imports torch."""

from training.ultralytics_settings import keep_to_itself

keep_to_itself()
