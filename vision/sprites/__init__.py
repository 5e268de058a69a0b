"""The program's own pictures of waste and belt, so that a first run needs no data set.

Who lies where is the world's to say.
"""
