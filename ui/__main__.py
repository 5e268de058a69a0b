"""Entry point of the ui process: `python -m ui`; the process itself is in `ui.process`."""

from sorter.runtime.process import run_process
from ui.process import serve_page


def main() -> None:
    """Serve the page until told to stop."""
    run_process("ui", serve_page)


if __name__ == "__main__":
    main()
