"""The one error of the PKI."""


class PkiError(ValueError):
    """Something in the PKI directory is missing, in the way or wrong.

    The message names the file and says what to do. It never holds key material.
    """
