"""The models of `lab.balancing` held to a real nginx: the same upstream, the same events, each attempt compared.

`scenario` makes up upstreams and events from a seed, `foretelling` runs them through the model, `reality` through
nginx, `referee` compares, and `shrinking` makes a scenario that failed small.
"""
