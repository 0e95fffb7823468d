"""Words that go with exported clips: chosen from the library, cut to the clip, written beside, in or on the picture."""
