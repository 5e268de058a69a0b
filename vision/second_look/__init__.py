"""Naming a found item once more, from a square cut out around it: geometry, fusion, and which items get a look."""
