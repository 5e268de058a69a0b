"""What a line's page loads at its start: nothing that only exports and the lab need."""

import subprocess
import sys

HEAVY = ("pyarrow", "duckdb", "rdflib", "psycopg", "torch", "cv2", "openvino")


def test_the_page_starts_without_what_few_ask_for() -> None:
    script = "import sys, ui.process; print([name for name in sys.argv[1:] if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", script, *HEAVY], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"
