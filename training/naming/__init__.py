"""The second look: a small network that is shown one item and names it, taught on cut-outs of labelled pictures."""
