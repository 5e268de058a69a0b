"""From light to tracks: sources, detectors, calibration, tracking; leaves every decision to sorter."""
