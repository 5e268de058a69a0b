"""The language that all of Farz shares, the policy, and the process that decides."""
