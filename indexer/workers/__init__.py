"""Worker processes, in which media is read and decoded: a crash, a hang or a lack of memory there costs one file.

    with WorkerPool() as pool:
        content = pool.call(fingerprint, path, path=path)  # UnreadableVideo: crashed, stalled or memory
        with pool.task(decode, path, path=path) as task:   # def decode(link: Link, path: str): link.send(...)
            for message in task:
                ...
            task.result

    pool      starts workers when they are needed and lends them to one task at a time
    process   one worker process, seen from here
    task      a task that runs in one: its messages, and the reasons to give it up
    child     the process itself: runs tasks, and `Link`, by which they send messages
    limits    what a process may use, and that it dies with its parent
    wire      messages through a pipe

Workers are started, not forked, and so have nothing of this process but what they are sent: no open file, no model.
"""
