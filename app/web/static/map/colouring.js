// Colours of the points by score, folder or video, and the order in which they are drawn.

import { fromOklch, rampTable } from '../core/ramp.js';

/** @typedef {import('./points.js').Points} Points */
/** @typedef {'score' | 'folder' | 'video'} Mode */
/** @typedef {{folder: number, count: number, colour: readonly number[]}} FolderColour `folder` is an index of `folderNames`. */

/**
 * RGBA (little-endian) of each point, and their indices in the order of drawing, the topmost last.
 *
 * @typedef {{colours: Uint32Array, order: Uint32Array}} Colouring
 */

// Eight colours that the colour-blind can tell apart, on light and on dark; all other folders are grey.
const FOLDERS = [
  [68, 119, 170],
  [238, 102, 119],
  [34, 136, 51],
  [204, 187, 68],
  [102, 204, 238],
  [170, 51, 119],
  [224, 123, 57],
  [122, 104, 196],
];
/** Number of folders that have a colour of their own. */
export const COLOURED_FOLDERS = FOLDERS.length;
/** Red, green and blue of all other folders. */
export const OTHER_FOLDERS = [140, 144, 148];
const MOST_IN_FOLDERS = 0.6; // share of the shots in coloured folders from which their colours say more than those of videos

/**
 * Return the folders, the one with the most shots first.
 *
 * @param {Int32Array} folders The folder of each point, or -1.
 * @returns {FolderColour[]}
 */
export function largestFolders(folders) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const folder of folders) counts.set(folder, (counts.get(folder) ?? 0) + 1);
  return [...counts]
    .filter(([folder]) => folder >= 0)
    .sort((a, b) => b[1] - a[1])
    .map(([folder, count], place) => ({ folder, count, colour: FOLDERS[place] ?? OTHER_FOLDERS }));
}

/**
 * Return the modes that make sense for a map, and the one to begin with.
 *
 * @param {Points} points
 * @param {FolderColour[]} folders
 * @returns {{modes: Mode[], best: Mode}}
 */
export function modesOf(points, folders) {
  /** @type {Mode[]} */
  const modes = ['video'];
  if (folders.length > 1) modes.unshift('folder');
  if (points.scores) return { modes: ['score', ...modes], best: 'score' };
  const coloured = folders.slice(0, COLOURED_FOLDERS).reduce((sum, { count }) => sum + count, 0);
  return { modes, best: folders.length > 1 && coloured > MOST_IN_FOLDERS * points.count ? 'folder' : 'video' };
}

/**
 * Colour the points and put them in the order of drawing.
 *
 * @param {Points} points
 * @param {Mode} mode
 * @param {object} look
 * @param {boolean} look.dark Whether the page is dark.
 * @param {number[]} look.faint Red, green and blue of points that are left out, or outside the selection.
 * @param {Set<number> | null} look.chosen Indices of the selection; null where nothing is selected.
 * @returns {Colouring}
 */
export function colourPoints(points, mode, { dark, faint, chosen }) {
  const quiet = pack(faint);
  const colourOf =
    mode === 'score' && points.scores
      ? byScore(points, points.scores, dark)
      : mode === 'folder'
        ? byFolder(points, quiet)
        : byVideo(points, dark);
  const colours = new Uint32Array(points.count);
  for (let at = 0; at < points.count; at += 1)
    colours[at] = points.left?.[at] || (chosen && !chosen.has(at)) ? quiet : colourOf(at);
  return { colours, order: drawingOrder(points, chosen) };
}

/**
 * Return the order of drawing: points that filters leave out, points outside the selection, then the others by score. Without
 * scores those are mixed, so that no video hides another.
 *
 * @param {Points} points
 * @param {Set<number> | null} chosen
 * @returns {Uint32Array} Indices, the topmost last.
 */
export function drawingOrder({ count, ids, left, scores }, chosen) {
  const ranks = new Float32Array(count);
  for (let at = 0; at < count; at += 1) {
    if (left?.[at]) ranks[at] = -4;
    else if (chosen && !chosen.has(at)) ranks[at] = -3;
    else ranks[at] = scores ? scores[at] : (Math.imul(ids[at] ^ 0x9e3779b9, 0x85ebca6b) >>> 0) / 2 ** 32;
  }
  return Uint32Array.from(ranks.keys()).sort((a, b) => ranks[a] - ranks[b]);
}

/**
 * Return a colour as a pixel: RGBA, little-endian.
 *
 * @param {readonly number[]} colour Red, green and blue, 0 to 255.
 * @returns {number}
 */
export function pack([red, green, blue]) {
  return ((255 << 24) | (Math.round(blue) << 16) | (Math.round(green) << 8) | Math.round(red)) >>> 0;
}

/**
 * Return the CSS colour of a pixel.
 *
 * @param {number} pixel
 * @returns {string}
 */
export function cssColour(pixel) {
  return `rgb(${pixel & 255} ${(pixel >> 8) & 255} ${(pixel >> 16) & 255})`;
}

/** @typedef {(at: number) => number} ColourOf The pixel of a point. */

/**
 * @param {Points} points
 * @param {Float32Array} scores
 * @param {boolean} dark
 * @returns {ColourOf}
 */
function byScore({ low, high }, scores, dark) {
  const table = rampTable(dark);
  const ramp = Uint32Array.from({ length: 256 }, (_, at) => pack(Array.from(table.subarray(3 * at, 3 * at + 3))));
  return (at) => ramp[Math.round(255 * Math.min(1, Math.max(0, (scores[at] - low) / (high - low))))];
}

/**
 * @param {Points} points
 * @param {number} other The pixel of points whose video is no longer in the library.
 * @returns {ColourOf}
 */
function byFolder({ folders }, other) {
  const pixels = new Map(largestFolders(folders).map(({ folder, colour }) => [folder, pack(colour)]));
  return (at) => pixels.get(folders[at]) ?? other;
}

/**
 * @param {Points} points
 * @param {boolean} dark
 * @returns {ColourOf}
 */
function byVideo({ videos }, dark) {
  /** @type {Map<number, number>} */
  const pixels = new Map();
  return (at) => {
    const video = videos[at];
    let pixel = pixels.get(video);
    if (pixel === undefined) {
      // Hues a golden angle apart: of videos with near numbers, no two look alike.
      const colour = fromOklch(dark ? 0.74 : 0.6, 0.13, (video * 137.508) % 360);
      pixel = pack(colour.map((part) => Math.min(255, part)));
      pixels.set(video, pixel);
    }
    return pixel;
  };
}
