"""`python -m vision`: the process that turns pictures into tracks."""

from sorter.runtime.process import run_process
from vision.process import watch_belt

if __name__ == "__main__":
    run_process("vision", watch_belt)
