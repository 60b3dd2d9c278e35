"""nginx: finding a binary, asking what it can do, writing its files, running it, and inferring what it believes."""
