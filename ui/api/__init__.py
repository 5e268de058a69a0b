"""The line's figures for who is not in front of its screen: one versioned API, open formats, method and coverage told.

It reads a store and asks the line nothing but to enter audits. No picture of the belt is ever served here, and no name
of a person.
"""
