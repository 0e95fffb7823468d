// Limits of typed texts, in characters. A test compares them with those of the server, which refuses longer ones.

export const MAX_NAME_LENGTH = 200;
export const MAX_NOTE_LENGTH = 10000;
export const MAX_PATTERN_LENGTH = 200;
export const MAX_AUDIO_LENGTH = 200;
