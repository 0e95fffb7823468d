"""Messages that web sockets of our page send to Streamlit, and no others.

Streamlit's front end can also have the caches of the whole server cleared, which closes nothing: each time, the library
would be opened and the encoder be loaded anew, for everybody.
"""

from __future__ import annotations

_KNOWN = frozenset({"rerun_script", "stop_script", "app_heartbeat"})


def is_of_page(message: bytes) -> bool:
    """Return whether a message is one that our page sends."""
    from streamlit.proto.BackMsg_pb2 import BackMsg

    found = BackMsg()
    try:
        found.ParseFromString(message)
    except Exception:  # noqa: BLE001 - of protobuf, which has no types
        return False
    return found.WhichOneof("type") in _KNOWN
