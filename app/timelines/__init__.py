"""Edit lists of ranges of videos: EDL, FCPXML, FCP7 XML, OTIO, CSV, JSON. Writes text, reads no video."""
