"""`python -m sorter.fleet`: a line's outbox, alone or started by `farz run`."""

from sorter.fleet.process import fill_hub
from sorter.runtime.process import run_process

if __name__ == "__main__":
    run_process("fleet", fill_hub)
