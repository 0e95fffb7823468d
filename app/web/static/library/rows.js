// Rows of the table of videos: columns, states, texts and their order.

import { rateText } from '../core/timecode.js';

/** @typedef {'name' | 'seconds' | 'shots' | 'pixels' | 'modified' | 'state'} ColumnId */
/** @typedef {'missing' | 'other' | 'changed' | 'damaged' | 'ok'} State */

/**
 * A video, as `/api/library` sends it.
 *
 * @typedef {object} ListedVideo
 * @property {number} id
 * @property {number} folder Index of `folders`.
 * @property {string} name Of the file.
 * @property {number} seconds
 * @property {number} shots
 * @property {number | null} poster The segment whose poster stands for the video.
 * @property {number} width
 * @property {number} height
 * @property {string} codec
 * @property {number} rate Frames a second.
 * @property {number} bytes
 * @property {number} modified Milliseconds since 1970.
 * @property {number} damaged Number of places that decoding went on past.
 * @property {'ok' | 'missing' | 'changed'} file
 * @property {number[]} encoders Indices of `encoders`.
 */

/**
 * A file that could not be indexed, as `/api/library` sends it.
 *
 * @typedef {object} ListedFailure
 * @property {string} path
 * @property {string} folder
 * @property {string} name
 * @property {string} reason
 * @property {number} attempts
 * @property {string} failed_at ISO 8601.
 * @property {boolean} gone Whether the file is not there now.
 */

/** @typedef {{videos: number, seconds: number, shots: number, segments: number, source_bytes: number}} Totals */

/**
 * The library, as `/api/library` sends it.
 *
 * @typedef {object} Listing
 * @property {string[]} encoders
 * @property {string[]} folders
 * @property {ListedVideo[]} videos
 * @property {ListedFailure[]} failures
 * @property {Totals} totals
 */

/**
 * What the table shows of a video besides what was sent.
 *
 * @typedef {object} Shown
 * @property {string} folder
 * @property {State[]} states The most important first; at least one.
 * @property {string} size Name of the picture's size.
 * @property {string} about
 * @property {number} pixels
 * @property {number} state Rank of the most important state.
 * @property {string} changed
 * @property {string} text All that a filter searches, in lower case.
 */

/** @typedef {Omit<ListedVideo, 'folder'> & Shown} Video */

/**
 * Columns by the key that they sort by.
 *
 * @type {{id: ColumnId, title: string, kind: string}[]}
 */
export const COLUMNS = [
  { id: 'name', title: 'Name', kind: 'text' },
  { id: 'seconds', title: 'Length', kind: 'number' },
  { id: 'shots', title: 'Shots', kind: 'number' },
  { id: 'pixels', title: 'Size', kind: 'number' },
  { id: 'modified', title: 'Modified', kind: 'number ps-lib-date' },
  { id: 'state', title: 'Status', kind: 'state' },
];

/**
 * States of a video.
 *
 * @type {Record<State, {short: string, long: (video: {damaged: number}) => string}>}
 */
export const STATES = {
  missing: {
    short: 'offline',
    long: () => 'The file cannot be found. Is its drive connected? Poster, preview and search still work.',
  },
  other: {
    short: 'other encoder only',
    long: () => 'Not indexed with the current encoder, so searches do not find it. Index its folder again.',
  },
  changed: { short: 'changed', long: () => 'The file has changed since it was indexed. Index its folder again.' },
  damaged: {
    short: 'damaged',
    long: (video) =>
      `Decoding skipped ${video.damaged === 1 ? 'one damaged place' : `${video.damaged} damaged places`}.`,
  },
  ok: { short: 'indexed', long: () => 'Indexed, and the file is unchanged.' },
};

/**
 * The states, the most important first.
 *
 * @type {State[]}
 */
export const STATE_ORDER = ['missing', 'other', 'changed', 'damaged', 'ok'];

// The shorter side of pictures that have a name, in pixels.
/** @type {[side: number, name: string][]} */
const SIZES = [
  [4320, '8K'],
  [2160, '4K'],
  [1440, '1440p'],
  [1080, '1080p'],
  [720, '720p'],
];
const NEARLY = 8; // pixels that a side may differ from its name's, as 1088 does

/**
 * Return the videos with the texts and states that the table shows.
 *
 * @param {Pick<Listing, 'encoders' | 'folders' | 'videos'>} found
 * @param {string | null} encoder Id of the encoder in use.
 * @returns {Video[]}
 */
export function prepareVideos(found, encoder) {
  const wanted = encoder === null ? -1 : found.encoders.indexOf(encoder);
  return found.videos.map((video) => {
    const folder = found.folders[video.folder];
    const states = statesOf(video, encoder === null || video.encoders.includes(wanted));
    const size = sizeName(video.width, video.height);
    const about = `${video.codec.toUpperCase()} · ${rateText(video.rate)} fps · ${sizeText(video.bytes)}`;
    const all = [
      video.name,
      folder,
      video.codec,
      size,
      `${video.width}x${video.height}`,
      ...states.map((state) => STATES[state].short),
    ];
    return {
      ...video,
      folder,
      states,
      size,
      about,
      pixels: video.width * video.height,
      state: STATE_ORDER.indexOf(states[0]),
      changed: new Date(video.modified).toLocaleDateString(undefined, {
        year: 'numeric',
        month: 'short',
        day: 'numeric',
      }),
      text: all.join('\n').toLowerCase(),
    };
  });
}

/**
 * @param {ListedVideo} video
 * @param {boolean} searchable Whether the encoder in use has embedded it.
 * @returns {State[]}
 */
function statesOf(video, searchable) {
  /** @type {State[]} */
  const states = [];
  if (video.file === 'missing') states.push('missing');
  if (!searchable) states.push('other');
  if (video.file === 'changed') states.push('changed');
  if (video.damaged) states.push('damaged');
  return states.length ? states : ['ok'];
}

/**
 * Return a comparison for sort(). Names decide where values are equal.
 *
 * @param {ColumnId} column
 * @param {boolean} down Whether the largest comes first.
 * @returns {(a: Video, b: Video) => number}
 */
export function compare(column, down) {
  const sign = down ? -1 : 1;
  const names = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
  /**
   * @param {Video} a
   * @param {Video} b
   */
  const byName = (a, b) => names.compare(a.name, b.name) || names.compare(a.folder, b.folder) || a.id - b.id;
  if (column === 'name') return (a, b) => sign * byName(a, b);
  return (a, b) => sign * (a[column] - b[column]) || byName(a, b);
}

/**
 * Return the name of a picture's size: 4K, 1080p, 640×480.
 *
 * @param {number} width
 * @param {number} height
 * @returns {string}
 */
export function sizeName(width, height) {
  const short = Math.min(width, height);
  const found = SIZES.find(([side]) => Math.abs(short - side) <= NEARLY);
  return found ? found[1] : `${width}×${height}`;
}

/**
 * Format a size: 3.2 MB, in powers of 1000 as file managers count.
 *
 * @param {number} bytes
 * @returns {string}
 */
export function sizeText(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let at = 0;
  while (value >= 999.5 && at < units.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${at && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[at]}`;
}
