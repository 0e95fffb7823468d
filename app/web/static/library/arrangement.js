// Arrangement of the table of videos: which are shown, in which order and groups, and the way from row to row.

import { COLUMNS, compare } from './rows.js';

/** @typedef {import('./rows.js').Video} Video */
/** @typedef {import('./rows.js').State} State */
/** @typedef {{sort: import('./rows.js').ColumnId, down: boolean, grouped: boolean}} Layout `down`: the largest first. */
/** @typedef {{video: Video}} VideoRow */
/** @typedef {{video: null, folder: string, inside: Video[]}} FolderRow The head of a folder's videos. */
/** @typedef {VideoRow | FolderRow} Row */

/**
 * The videos that a filter leaves.
 *
 * @typedef {object} Filtered
 * @property {Video[]} videos
 * @property {number} named Number of videos with the words, in whatever state.
 * @property {Map<State, number>} counts Number of those in each state.
 * @property {State | null} state The state asked for; null where no video with the words is in it.
 */

/**
 * Return the layout that was stored, as far as it makes sense.
 *
 * @param {{sort?: unknown, down?: unknown, grouped?: unknown}} stored
 * @returns {Layout}
 */
export function layoutFrom(stored) {
  const column = COLUMNS.find(({ id }) => id === stored.sort);
  if (!column) return { sort: 'name', down: false, grouped: true };
  return { sort: column.id, down: stored.down === true, grouped: stored.grouped !== false };
}

/**
 * Filter videos by words, all of which a video must have, and by state.
 *
 * @param {Video[]} videos
 * @param {string} text Words with blanks between them, in any order and case.
 * @param {State | null} state
 * @returns {Filtered}
 */
export function filterVideos(videos, text, state) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const named = videos.filter((video) => words.every((word) => video.text.includes(word)));
  /** @type {Map<State, number>} */
  const counts = new Map();
  for (const video of named) for (const each of video.states) counts.set(each, (counts.get(each) ?? 0) + 1);
  const wanted = state !== null && counts.has(state) ? state : null;
  const shown = wanted === null ? named : named.filter((video) => video.states.includes(wanted));
  return { videos: shown, named: named.length, counts, state: wanted };
}

/**
 * Sort videos, and group them by folder where the layout says so.
 *
 * @param {Video[]} videos
 * @param {Layout} layout
 * @param {Set<string>} closed Folders whose videos are hidden.
 * @returns {{videos: Video[], rows: Row[]}} The videos in order, and what the table shows from top to bottom.
 */
export function arrangeRows(videos, layout, closed) {
  const sorted = videos.toSorted(compare(layout.sort, layout.down));
  if (!layout.grouped) return { videos: sorted, rows: sorted.map((video) => ({ video })) };
  /** @type {Map<string, Video[]>} */
  const byFolder = new Map();
  for (const video of sorted) {
    const inside = byFolder.get(video.folder);
    if (inside) inside.push(video);
    else byFolder.set(video.folder, [video]);
  }
  const groups = [...byFolder]; // in the order of their first videos, unless names sort
  if (layout.sort === 'name') {
    const sign = layout.down ? -1 : 1;
    groups.sort(([a], [b]) => sign * a.localeCompare(b, undefined, { numeric: true }));
  }
  /** @type {Row[]} */
  const rows = [];
  for (const [folder, inside] of groups) {
    rows.push({ video: null, folder, inside });
    if (!closed.has(folder)) for (const video of inside) rows.push({ video });
  }
  return { videos: sorted, rows };
}

/**
 * Return the video that Tab reaches: the current one where it is shown, else the first.
 *
 * @param {Row[]} rows
 * @param {number | undefined} current Id of a video.
 * @returns {number | undefined} Id of a video; undefined where none is shown.
 */
export function tabStop(rows, current) {
  const ids = rowIds(rows);
  return current !== undefined && ids.includes(current) ? current : ids[0];
}

/**
 * Return the row that is some videos further on. Heads of folders are skipped; the ends of the table stop.
 *
 * @param {Row[]} rows
 * @param {number} at Index of the row to start from; -1 is before the first.
 * @param {number} by Number of videos, below 0 upwards.
 * @returns {number} Index of a row of a video, or `at` where there is none in that direction.
 */
export function rowAfter(rows, at, by) {
  const step = Math.sign(by);
  let found = at;
  let left = Math.abs(by);
  for (let next = at + step; left > 0 && next >= 0 && next < rows.length; next += step) {
    if (!rows[next].video) continue;
    found = next;
    left -= 1;
  }
  return found;
}

/**
 * Return the videos from one to another, both included, in the order of the rows.
 *
 * @param {Row[]} rows
 * @param {number | null | undefined} from Id of a video; where it is not shown, `to` is alone.
 * @param {number} to Id of a video.
 * @returns {number[]} Ids.
 */
export function idsBetween(rows, from, to) {
  const ids = rowIds(rows);
  const [start, end] = [ids.indexOf(from ?? to), ids.indexOf(to)].sort((a, b) => a - b);
  return start < 0 ? [to] : ids.slice(start, end + 1);
}

/** @param {Row[]} rows */
function rowIds(rows) {
  return rows.flatMap((row) => (row.video ? [row.video.id] : []));
}
