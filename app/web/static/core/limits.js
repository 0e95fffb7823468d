// Limits of what is typed: of texts in characters, of handles in seconds. A test compares them with those of the server, which refuses more.

export const MAX_NAME_LENGTH = 200;
export const MAX_NOTE_LENGTH = 10000;
export const MAX_QUESTION_LENGTH = 1000;
export const MAX_PATTERN_LENGTH = 200;
export const MAX_AUDIO_LENGTH = 200;
export const MAX_HANDLE_SECONDS = 3600;
