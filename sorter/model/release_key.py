"""The public half of Farz's own release key, with which the models that Farz ships are signed; it is no secret."""

RELEASE_PUBLIC_KEY = "RWT4mX3Sh8iRjoy2xx6TzOGNS3BcuYrJVLDo3k91H1ctfxbIEGUeCQY6"
