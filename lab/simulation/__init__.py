"""A discrete-event simulation on the models of `lab.balancing`, for what one machine can't run. Nothing is measured.

A fleet: `plan` says what is simulated, `traffic` draws it, `picking` picks fast, `queues` lets time pass, `fleet` sums
up, `theory` knows the truth where there is one, and `herding` says who herds. A scenario of `lablb compare`:
`rehearsal` follows the readable models through faults and timeouts, with `agenda` and `workplace`. `report` makes
comparisons of both.
"""
