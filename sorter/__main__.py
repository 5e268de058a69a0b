"""`python -m sorter`: the process that decides."""

from sorter.process import decide_items
from sorter.runtime.process import run_process

if __name__ == "__main__":
    run_process("sorter", decide_items)
