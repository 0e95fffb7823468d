// Choices of the export form, and the request that starts an export with them.

import { MAX_HANDLE_SECONDS } from '../../core/limits.js';

/** @typedef {'smart' | 'exact' | 'copy' | 'none'} Mode 'none': lists only. */
/** @typedef {'all' | 'first' | 'numbers' | 'none'} Sound */
/** @typedef {'none' | 'file' | 'track' | 'burn'} Subtitles Where what is said goes. */
/** @typedef {'best' | 'subtitle' | 'speech' | 'screen'} WordsFrom */

/**
 * What a person chose, as this browser remembers it. Texts are as typed.
 *
 * @typedef {object} Choice
 * @property {Mode} mode
 * @property {string} handles Seconds.
 * @property {string} pattern
 * @property {Sound} sound
 * @property {string} tracks Numbers of sound tracks from 1, for 'numbers'.
 * @property {string[]} lists
 * @property {Subtitles} subtitles
 * @property {WordsFrom} wordsFrom
 * @property {string} language Of the words, such as 'de'; '' for that of the first source.
 * @property {boolean} markers Whether what is said is marked in the lists.
 * @property {'zip' | 'folder'} to
 * @property {string} folder
 */

/**
 * The body of `POST /api/exports`.
 *
 * @typedef {object} ExportRequest
 * @property {number} collection
 * @property {number[]} [subclips] Those of the collection to export; all where it is missing.
 * @property {Mode} mode
 * @property {number} handles_seconds
 * @property {string} name_pattern
 * @property {string} audio Sound tracks: 'all', 'first', 'none', or numbers from 1 such as '1,3'.
 * @property {string[]} lists
 * @property {string} to 'zip' or a folder.
 * @property {Subtitles} [subtitles] This and the next three: only where words go with clips or lists.
 * @property {WordsFrom} [words_from]
 * @property {string} [language]
 * @property {boolean} [markers]
 */

/** @typedef {{problem: string, field: 'folder' | 'handles' | 'lists' | 'tracks' | 'words'}} Refusal A sentence, and what it is about. */

/** @type {readonly [Mode, string, string][]} */
export const MODES = [
  ['smart', 'Smart', 'Frame-accurate. Only the edges are re-encoded; the rest is copied where the format allows.'],
  ['exact', 'Exact', 'Frame-accurate. Every clip is re-encoded (H.264): slowest, but plays everywhere.'],
  [
    'copy',
    'Copy',
    'Nothing is re-encoded: fastest and lossless, but clips start at the last key frame before their in point.',
  ],
  ['none', 'Lists only', 'No clips are cut. Only the lists are written, and they point to your own files.'],
];
/** @type {readonly [Sound, string][]} */
export const SOUNDS = [
  ['all', 'All sound tracks'],
  ['first', 'First sound track only'],
  ['numbers', 'Sound tracks by number'],
  ['none', 'No sound'],
];
/** @type {readonly [Subtitles, string][]} */
export const SUBTITLES = [
  ['none', 'No subtitles'],
  ['file', 'An SRT file beside each clip'],
  ['track', 'A subtitle track in each clip'],
  ['burn', 'Drawn into the pictures'],
];
/** @type {readonly [WordsFrom, string][]} */
export const WORDS_FROM = [
  ['best', 'Subtitles, or else speech'],
  ['subtitle', 'Subtitles'],
  ['speech', 'Recognised speech'],
  ['screen', 'Text in the pictures'],
];
/** @type {readonly [string, string, string][]} */
export const LISTS = [
  ['edl', 'EDL', 'CMX3600, any editing software'],
  ['fcpxml', 'FCPXML', 'Final Cut Pro, DaVinci Resolve'],
  ['fcp7', 'FCP7 XML', 'Premiere Pro, Avid, Resolve'],
  ['otio', 'OTIO', 'OpenTimelineIO'],
  ['csv', 'CSV', 'spreadsheets'],
  ['json', 'JSON', 'programs'],
];
const MOST_FOLDERS = 8;

/**
 * Return the choices to begin with: those that were stored, where they are still ones, else the usual.
 *
 * @param {{[Name in keyof Choice]?: unknown}} stored
 * @param {string} home A folder to suggest.
 * @returns {Choice}
 */
export function choiceFrom(stored, home) {
  /** @type {(value: unknown, otherwise: string) => string} */
  const text = (value, otherwise) => (typeof value === 'string' ? value : otherwise);
  const { lists } = stored;
  return {
    mode: MODES.find(([mode]) => mode === stored.mode)?.[0] ?? 'smart',
    handles: text(stored.handles, '0'),
    pattern: text(stored.pattern, ''),
    sound: SOUNDS.find(([sound]) => sound === stored.sound)?.[0] ?? 'all',
    tracks: text(stored.tracks, ''),
    lists: Array.isArray(lists) ? LISTS.map(([name]) => name).filter((name) => lists.includes(name)) : ['csv'],
    subtitles: SUBTITLES.find(([place]) => place === stored.subtitles)?.[0] ?? 'none',
    wordsFrom: WORDS_FROM.find(([kind]) => kind === stored.wordsFrom)?.[0] ?? 'best',
    language: text(stored.language, ''),
    markers: stored.markers === true,
    to: stored.to === 'folder' ? 'folder' : 'zip',
    folder: text(stored.folder, home),
  };
}

/**
 * Return the first reason why an export cannot start, or null.
 *
 * @param {Choice} choice
 * @returns {Refusal | null}
 */
export function refusalOf({ mode, lists, to, folder, handles, sound, tracks, subtitles, markers }) {
  if (mode === 'none' && !lists.length) return { problem: 'Choose at least one list.', field: 'lists' };
  if (subtitles === 'burn' && mode !== 'none' && mode !== 'exact')
    return { problem: 'Drawing into the pictures encodes them again: choose the mode Exact.', field: 'words' };
  if (markers && !lists.length) return { problem: 'Markers are written into lists: choose one.', field: 'words' };
  if (to === 'folder' && !folder.trim()) return { problem: 'Enter the folder for the export.', field: 'folder' };
  const seconds = Number(handles);
  if (mode !== 'none' && !(seconds >= 0 && seconds <= MAX_HANDLE_SECONDS))
    return { problem: `Enter handles of 0 to ${MAX_HANDLE_SECONDS} seconds.`, field: 'handles' };
  if (mode !== 'none' && sound === 'numbers' && !/^[ ,]*[1-9]\d{0,2}([ ,]+[1-9]\d{0,2})*[ ,]*$/.test(tracks))
    return { problem: 'Enter sound track numbers, such as 1,3.', field: 'tracks' };
  return null;
}

/**
 * Return whether what is said goes with clips or lists.
 *
 * @param {Choice} choice
 */
export function carriesWords({ mode, subtitles, markers }) {
  return markers || (mode !== 'none' && subtitles !== 'none');
}

/**
 * Return a choice as it is where no clip has words: what was chosen for others does not count.
 *
 * @param {Choice} choice
 * @returns {Choice}
 */
export function withoutWords(choice) {
  return { ...choice, subtitles: 'none', markers: false };
}

/**
 * Return the request for an export. Lists take neither handles nor names, whatever was typed for clips before.
 *
 * @param {Choice} choice One without a refusal.
 * @param {number} collection
 * @param {{id: number}[] | null} clips Those to export; null for the whole collection.
 * @returns {ExportRequest}
 */
export function exportRequest(choice, collection, clips) {
  const { mode, handles, pattern, sound, tracks, lists, to, folder, subtitles, wordsFrom, language, markers } = choice;
  const cuts = mode !== 'none';
  return {
    collection,
    mode,
    handles_seconds: cuts ? Number(handles) : 0,
    name_pattern: cuts ? pattern : '',
    audio: !cuts ? 'all' : sound === 'numbers' ? tracks.trim() : sound,
    lists,
    to: to === 'zip' ? 'zip' : folder.trim(),
    ...(carriesWords(choice) && { subtitles: cuts ? subtitles : 'none', words_from: wordsFrom, language, markers }),
    ...(clips && { subclips: clips.map(({ id }) => id) }),
  };
}

/**
 * Return the folders to suggest next time, the latest first.
 *
 * @param {string} folder
 * @param {string[]} before
 * @returns {string[]}
 */
export function withFolder(folder, before) {
  return [folder, ...before.filter((each) => each !== folder)].slice(0, MOST_FOLDERS);
}
