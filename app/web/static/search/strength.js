// Strength of a hit: its level as a word, a bar, and a sentence on what it means.

/**
 * How far a hit stands above what unrelated searches find.
 *
 * @typedef {object} Strength
 * @property {number} value Standard deviations above unrelated questions.
 * @property {number} chance Share of unrelated searches whose best hit is at least as strong, above 0 to 1.
 * @property {'strong' | 'likely' | 'weak'} level
 * @property {boolean} [estimated] Whether the chance is an estimate, because there was too little to count.
 */

const WORDS = { strong: 'Strong', likely: 'Likely', weak: 'Weak' };
// Chances at the ends of the bar's thirds: weak, likely, strong. The last is about the least that 256 questions can tell.
const ENDS = [1, 0.05, 0.01, 0.004];

/**
 * Return the texts of a strength.
 *
 * @param {Strength} strength
 * @param {number | null} score The raw cosine.
 * @returns {{word: string, share: number, sentence: string}} `share` is the length of the bar, 0 to 1: each level has a
 *   third of it, so that bars of different searches can be compared.
 */
export function strengthTexts({ chance, level, estimated = false }, score) {
  const cosine = score === null ? '' : ` Score ${score.toFixed(2)} (cosine).`;
  const word = WORDS[level];
  return {
    word,
    share: shareOf(chance),
    sentence: `${word} match: ${estimated ? 'an estimated ' : ''}${oddsText(chance)} unrelated searches find a shot this close.${cosine}`,
  };
}

/** @param {number} chance */
function shareOf(chance) {
  for (let third = 0; third < 3; third += 1) {
    const [from, to] = [ENDS[third], ENDS[third + 1]];
    if (chance > to) return (third + Math.max(0, Math.log(from / chance) / Math.log(from / to))) / 3;
  }
  return 1;
}

/** @param {number} chance */
function oddsText(chance) {
  const percent = Math.round(100 * chance);
  return percent < 1 ? 'fewer than 1 in 100' : `${percent} in 100`;
}
