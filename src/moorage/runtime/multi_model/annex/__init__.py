"""A process beside that of the instance, where models are loaded, and asked until they have been asked often.

Loading and the framework's own predictions take milliseconds in which no other Python code of their process runs. Of a
thousand models most are asked for once in a while; here they hold up each other, and not those that are asked for all
the time, which the instance's own process has.

`process` is its life, `rooms` what it answers; `landlord` is the instance's end of it, `forwarding` the way of a
request there, and `kind` decides which model is where. What stays in memory is decided in the instance alone, for both.
"""
