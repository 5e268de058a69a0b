"""The hub of a fleet: takes what lines send, keeps it in PostgreSQL, and answers as a line does, for all of them."""
