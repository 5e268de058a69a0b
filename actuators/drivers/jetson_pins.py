"""The 40-pin header of Jetson developer kits: which GPIO chip and line each pin is, by the kernel's names (JetPack 6).

A pin drives a valve only once the pinmux makes it an output (jetson-io), and through a driver stage: 3.3 V and about a
milliampere. Pins that the carrier board level-shifts or boots from are the integrator's to check.
"""

_MAIN, _ALWAYS_ON = "tegra234-gpio", "tegra234-gpio-aon"

_ORIN_NX = {
    7: "PAC.06", 11: "PR.04", 12: "PH.07", 13: "PY.00", 15: "PN.01", 16: "PY.04", 18: "PY.03", 19: "PZ.05",
    21: "PZ.04", 22: "PY.01", 23: "PZ.03", 24: "PZ.06", 26: "PZ.07", 29: "PQ.05", 31: "PQ.06", 32: "PG.06",
    33: "PH.00", 35: "PI.02", 36: "PR.05", 37: "PY.02", 38: "PI.01", 40: "PI.00",
}  # fmt: skip
_AGX_ORIN = {
    7: "PQ.06", 11: "PR.04", 12: "PH.07", 13: "PR.00", 15: "PN.01", 16: "PBB.01", 18: "PH.00", 19: "PZ.05",
    21: "PZ.04", 22: "PP.04", 23: "PZ.03", 24: "PZ.06", 26: "PZ.07", 29: "PAA.01", 31: "PAA.00", 32: "PBB.00",
    33: "PAA.02", 35: "PI.02", 36: "PR.05", 37: "PAA.03", 38: "PI.01", 40: "PI.00",
}  # fmt: skip

# board → header pin → (chip label, line name); Orin Nano and Orin NX share a carrier board
JETSON_PINS: dict[str, dict[int, tuple[str, str]]] = {
    board: {pin: (_ALWAYS_ON if name.startswith(("PAA", "PBB")) else _MAIN, name) for pin, name in pins.items()}
    for board, pins in (("jetson-orin-nano", _ORIN_NX), ("jetson-orin-nx", _ORIN_NX), ("jetson-agx-orin", _AGX_ORIN))
}
