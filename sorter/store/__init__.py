"""What a line remembers: events and their sums, in one schema for SQLite here and PostgreSQL on the hub."""
