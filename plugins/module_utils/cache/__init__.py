"""What the cache holds and for how long, as the hosts need it: shared by modules and by what runs there from a timer.

Imports relatively and from the standard library, so that a host can run it as a package of its own.
"""
