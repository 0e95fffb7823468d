"""Atomic file writes. Standard library only; independent of the other packages.

regular      opening of regular files, never a pipe or a device
replace      atomic replacement of a file
publish      a finished file under a free name
sweep        removal of leftovers of killed processes
stamped      a cache of write-once files
json_file    JSON and exact numbers that somebody else may have written
links        links, which are not followed in a folder that somebody else may have made
durability   creation that follows no link, fsync, checksums, removal that never raises
claims       which of several processes does a piece of work
folder_lock  locks on folders, which show that their owner lives
file_times   times of modification, finer and coarser ones
filesystems  mounted file systems, network drives among them
volumes      identity of the volume that holds a file
"""
