"""`python -m sorter.plant`: the plant interface, alone or started by `farz run`."""

from sorter.plant.process import tell_plant
from sorter.runtime.process import run_process

if __name__ == "__main__":
    run_process("plant", tell_plant)
