"""Edit lists of ranges of videos: EDL, FCPXML, FCP7 XML, OTIO, CSV and JSON. Writes text and reads no video."""
