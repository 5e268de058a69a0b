"""The public half of Farz's own release key, with which the models that Farz ships are signed; it is no secret."""

RELEASE_PUBLIC_KEY = "RWTp4W5kilV3eZdRKm7cj8fPn/IjXfK54OPZDYTSdfZcWRmlg3+bJXnq"
