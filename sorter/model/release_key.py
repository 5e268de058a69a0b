"""The public half of Farz's own release key, with which the models that Farz ships are signed; it is no secret."""

RELEASE_PUBLIC_KEY = "RWRP3sZzBlZALmeM3Lt3dOIUBdfP0qhb+Jyv4x91IkCngo1gZhnkviDp"
