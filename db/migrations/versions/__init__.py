"""One file a version. A file that was released is never edited: it says what a library of that time looked like."""
