"""The screens: for each, what its pages show and what its buttons do; who may is the gate's matter."""
