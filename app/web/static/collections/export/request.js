// Choices of the export form, and the request that starts an export with them.

import { MAX_HANDLE_SECONDS } from '../../core/limits.js';

/** @typedef {'smart' | 'exact' | 'copy' | 'none'} Mode 'none': lists only. */
/** @typedef {'all' | 'first' | 'numbers' | 'none'} Sound */

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
 */

/** @typedef {{problem: string, field: 'folder' | 'handles' | 'lists' | 'tracks'}} Refusal A sentence, and what it is about. */

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
export function refusalOf({ mode, lists, to, folder, handles, sound, tracks }) {
  if (mode === 'none' && !lists.length) return { problem: 'Choose at least one list.', field: 'lists' };
  if (to === 'folder' && !folder.trim()) return { problem: 'Enter the folder for the export.', field: 'folder' };
  const seconds = Number(handles);
  if (mode !== 'none' && !(seconds >= 0 && seconds <= MAX_HANDLE_SECONDS))
    return { problem: `Enter handles of 0 to ${MAX_HANDLE_SECONDS} seconds.`, field: 'handles' };
  if (mode !== 'none' && sound === 'numbers' && !/^[ ,]*[1-9]\d{0,2}([ ,]+[1-9]\d{0,2})*[ ,]*$/.test(tracks))
    return { problem: 'Enter sound track numbers, such as 1,3.', field: 'tracks' };
  return null;
}

/**
 * Return the request for an export. Lists take neither handles nor names, whatever was typed for clips before.
 *
 * @param {Choice} choice One without a refusal.
 * @param {number} collection
 * @param {{id: number}[] | null} clips Those to export; null for the whole collection.
 * @returns {ExportRequest}
 */
export function exportRequest({ mode, handles, pattern, sound, tracks, lists, to, folder }, collection, clips) {
  const cuts = mode !== 'none';
  return {
    collection,
    mode,
    handles_seconds: cuts ? Number(handles) : 0,
    name_pattern: cuts ? pattern : '',
    audio: !cuts ? 'all' : sound === 'numbers' ? tracks.trim() : sound,
    lists,
    to: to === 'zip' ? 'zip' : folder.trim(),
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
