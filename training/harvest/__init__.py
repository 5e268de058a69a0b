"""The harvest in the lab: what the line kept, out to the people who label, and back as labelled folders."""
