"""A discrete-event simulation of balancers and backends, for what one machine can't run: nothing in it is measured.

`plan` says what is simulated, `traffic` draws it, `picking` picks fast, `queues` lets time pass, `theory` knows the
truth where there is one, `report` tells.
"""
