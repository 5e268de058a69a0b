"""Property tests here are bounded by their number of examples, not by how busy the machine is."""

from hypothesis import HealthCheck, settings

settings.register_profile("farz-fleet", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("farz-fleet")
