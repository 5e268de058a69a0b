"""The public half of Farz's own release key, with which the models that Farz ships are signed; it is no secret."""

RELEASE_PUBLIC_KEY = "RWTBLpS4vKKhyBkD1zAJc3uW+bMoJdVO0n2Dflr2N/Rjf30V/Ob5+piv"
