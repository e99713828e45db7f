"""The nouns of the field: identity number, certificate number, person name, region code, and how to mask them."""
