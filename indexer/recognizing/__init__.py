"""Words that engines recognise in videos of the library: decoding in a worker process, the engine in this one.

screen     text in the pictures: one to three frames a shot, more where text changes
speech     speech in the sound, as a stream
lines      what engines return, as lines of the library

Decoding and the engine take turns: a worker waits while what it sent is recognised. So the engine may have every core
of the machine: its threads, those of a decoder and those of torch hardly ever compute at the same time.
"""
