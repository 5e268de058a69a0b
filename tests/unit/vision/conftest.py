"""Property tests here draw pictures: how long one takes says more about the machine's load than about the code."""

from hypothesis import HealthCheck, settings

settings.register_profile("pictures", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pictures")
