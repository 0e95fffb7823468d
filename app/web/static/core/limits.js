// Limits of texts that people type, in characters: those of the server (a test compares them), so that a field ends where
// the server would refuse.

export const MAX_NAME_LENGTH = 200;
export const MAX_NOTE_LENGTH = 10000;
export const MAX_PATTERN_LENGTH = 200;
