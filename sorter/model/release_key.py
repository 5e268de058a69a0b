"""The public half of Farz's own release key, with which the models that Farz ships are signed; it is no secret."""

RELEASE_PUBLIC_KEY = "RWQm8QhmV1T+Y6MmAnWHZXBClR6gwC1P9SJyrIS26RkLCSXdCnsfACIl"
