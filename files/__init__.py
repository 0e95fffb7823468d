"""Files written whole or not at all. Standard library only; knows nothing of the other rooms.

replace: a small file replaced whole. publish: a finished file under a free name. sweep: remains of killed processes.
stamped: a cache of write-once files. durability: fsync, checksums, removal that never raises.
"""
