"""`python -m actuators`: the controller process, alone or started by `farz run`."""

from actuators.process import control_valves
from sorter.runtime.process import run_process

if __name__ == "__main__":
    run_process("actuators", control_valves)
