// Rows of the table of videos: columns, states, texts and their order.

import { rateText } from '../core/timecode.js';

/** Columns by the key that they sort by. */
export const COLUMNS = [
  { id: 'name', title: 'Name', kind: 'text' },
  { id: 'seconds', title: 'Length', kind: 'number' },
  { id: 'shots', title: 'Shots', kind: 'number' },
  { id: 'pixels', title: 'Size', kind: 'number' },
  { id: 'modified', title: 'Changed', kind: 'number ps-lib-date' },
  { id: 'state', title: 'Status', kind: 'state' },
];

/** States of a video, the most important first. */
export const STATES = {
  missing: {
    short: 'file not there now',
    long: () => 'The file cannot be found; is its drive connected? Poster, preview and search still work.',
  },
  other: {
    short: 'other encoder only',
    long: () => 'Not indexed with the encoder that is in use, so searches do not find it. Index its folder again.',
  },
  changed: { short: 'changed since', long: () => 'The file has changed since it was indexed. Index its folder again.' },
  damaged: {
    short: 'damaged',
    long: (video) =>
      `Decoding had to go on past ${video.damaged === 1 ? 'one damaged place' : `${video.damaged} damaged places`}.`,
  },
  ok: { short: 'indexed', long: () => 'Indexed, and the file is unchanged.' },
};
const RANK = Object.fromEntries(Object.keys(STATES).map((state, at) => [state, at]));

/**
 * Return the videos of `/api/library` with the texts and states that the table shows.
 *
 * @param {any} found The response.
 * @param {string | null} encoder Id of the encoder in use.
 * @returns {any[]}
 */
export function prepareVideos(found, encoder) {
  const wanted = encoder === null ? -1 : found.encoders.indexOf(encoder);
  return found.videos.map((video) => {
    const folder = found.folders[video.folder];
    const states = [];
    if (video.file === 'missing') states.push('missing');
    if (encoder !== null && !video.encoders.includes(wanted)) states.push('other');
    if (video.file === 'changed') states.push('changed');
    if (video.damaged) states.push('damaged');
    if (!states.length) states.push('ok');
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
      state: RANK[states[0]],
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
 * Return a comparison for sort(). Names decide where values are equal.
 *
 * @param {string} column Id of a column.
 * @param {boolean} down Whether the largest comes first.
 * @returns {(a: any, b: any) => number}
 */
export function compare(column, down) {
  const sign = down ? -1 : 1;
  const names = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
  const byName = (a, b) => names.compare(a.name, b.name) || names.compare(a.folder, b.folder) || a.id - b.id;
  if (column === 'name') return (a, b) => sign * byName(a, b);
  return (a, b) => sign * (a[column] - b[column]) || byName(a, b);
}

function sizeName(width, height) {
  const short = Math.min(width, height);
  const names = [
    [4320, '8K'],
    [2160, '4K'],
    [1440, '1440p'],
    [1080, '1080p'],
    [720, '720p'],
  ];
  const found = names.find(([least]) => Math.abs(short - least) <= 8);
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
