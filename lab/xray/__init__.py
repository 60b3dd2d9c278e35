"""The X-ray: the real nginx followed by a model that foretells each of its picks."""
