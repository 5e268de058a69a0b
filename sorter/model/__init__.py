"""Nouns and pure functions: types, units, belt geometry, materials, settings, the simulated world."""
