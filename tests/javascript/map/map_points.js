// Maps in the form that the server sends them, made of plain values.

import { Points } from '../../../app/web/static/map/points.js';

/**
 * A shot: its segment, its place, and its video.
 *
 * @typedef {[id: number, x: number, y: number, video: number]} Shot
 */

/**
 * Return shots as bytes.
 *
 * @param {Shot[]} shots In ascending order of their segments.
 * @returns {ArrayBuffer}
 */
export function packed(shots) {
  const count = shots.length;
  const buffer = new ArrayBuffer(4 + 16 * count);
  new Uint32Array(buffer, 0, 1)[0] = count;
  new Float32Array(buffer, 4, 2 * count).set(shots.flatMap(([, x, y]) => [x, y]));
  new Uint32Array(buffer, 4 + 8 * count, count).set(shots.map(([id]) => id));
  new Uint32Array(buffer, 4 + 12 * count, count).set(shots.map(([, , , video]) => video));
  return buffer;
}

/** @type {import('../../../app/web/static/map/points.js').NamedVideos} */
export const NAMED = {
  folders: ['/videos/alps', '/videos/sea'],
  videos: { 1: ['a.mp4', 0], 2: ['b.mp4', 1], 3: ['c.mp4', 1] },
};

/**
 * Return the points of shots.
 *
 * @param {Shot[]} shots
 * @param {number} [stretch]
 */
export function pointsOf(shots, stretch) {
  return new Points(packed(shots), NAMED, stretch);
}

/**
 * Return scores as the page passes them.
 *
 * @param {number[]} steps 65535 is left out by filters, 0 to 65534 is least to most.
 * @param {Partial<import('../../../app/web/static/map/scores.js').MapScores>} [others]
 * @returns {import('../../../app/web/static/map/scores.js').MapScores}
 */
export function scoresOf(steps, others = {}) {
  const scores = Buffer.from(Uint16Array.from(steps).buffer).toString('base64');
  const range = { least: 0, most: 1, low: 0.2, high: 1 };
  const left_out = steps.filter((step) => step === 65535).length;
  return { key: scores, version: 'v', scored: true, scores, left_out, ...range, ...others };
}
