"""The face of the line: pages and live streams; it asks, and never decides."""
