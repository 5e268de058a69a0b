"""How good a model is: on labelled pictures, and on the line in virtual time."""
