"""From a fitted network to a bundle that a line may run: export, calibration, card."""
