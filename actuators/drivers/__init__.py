"""Valve hardware: one protocol, one module for each way to reach a valve."""
