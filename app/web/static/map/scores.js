// Scores of a search for the points of a map, as the page passes them.

const LEFT_OUT = 65535;
const STEPS = 65534;
const LOWEST = -2; // below any score

/**
 * The answer to a search for one version of the map.
 *
 * @typedef {object} MapScores
 * @property {string} key Changes with the search.
 * @property {string} version Of the map that it was answered for.
 * @property {boolean} scored Whether there are scores, and not filters alone.
 * @property {string} scores Base64 of a uint16 for each point: 65535 is left out by filters, 0 to 65534 is least to most.
 * @property {number} least
 * @property {number} most
 * @property {number} low Score of the lowest colour.
 * @property {number} high Score of the highest colour.
 * @property {number} left_out Number of points that filters leave out.
 */

/**
 * Unpack scores.
 *
 * @param {MapScores} asked
 * @param {number} count Number of points.
 * @returns {{left: Uint8Array, scores: Float32Array | null} | null} `left` is 1 for points that filters leave out, whose
 *   score is below any other. null where the scores are not of this many points.
 */
export function unpackScores(asked, count) {
  const bytes = Uint8Array.from(atob(asked.scores), (letter) => letter.charCodeAt(0));
  if (bytes.length !== 2 * count) return null;
  const steps = new Uint16Array(bytes.buffer);
  const range = asked.most - asked.least;
  return {
    left: Uint8Array.from(steps, (step) => Number(step === LEFT_OUT)),
    scores: asked.scored
      ? Float32Array.from(steps, (step) => (step === LEFT_OUT ? LOWEST : asked.least + (step / STEPS) * range))
      : null,
  };
}
