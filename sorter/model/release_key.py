"""The public half of Farz's own release key, with which the models that Farz ships are signed; it is no secret."""

RELEASE_PUBLIC_KEY = "RWQ3lFThjWXQhsdrSjv4FJjGf6PNaRBoNgNiKRKbM0yyGRg+v3mSnJhF"
