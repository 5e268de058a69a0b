"""How fast the line is: its own classes beside their peers, in one run, interleaved."""
