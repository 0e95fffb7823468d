// Cursor of the grid of results: where the arrow keys lead.

/** @typedef {'next' | 'previous' | 'down' | 'up'} Move */

/**
 * Return the number of columns of a grid.
 *
 * @param {number[]} tops The upper edge of each card, row by row.
 * @returns {number} All cards, where they are in one row.
 */
export function columnsOf(tops) {
  const below = tops.findIndex((top) => top > tops[0]);
  return below < 0 ? tops.length : below;
}

/**
 * Return the card that a move leads to.
 *
 * @param {number} at Index of the current card; -1 where there is none, from which every move leads to the first.
 * @param {Move} move `next` and `previous` run on from row to row.
 * @param {number} columns
 * @param {number} count Number of cards.
 * @returns {number | null} null where there is no card.
 */
export function cardAfter(at, move, columns, count) {
  const steps = { next: 1, previous: -1, down: columns, up: -columns };
  const to = at < 0 ? 0 : at + steps[move];
  return to >= 0 && to < count ? to : null;
}

/**
 * Return the bindings of the arrow keys.
 *
 * @param {(event: KeyboardEvent, move: Move) => boolean} move Called with where the key leads.
 */
export function moveKeys(move) {
  /** @type {[string, string, Move][]} */
  const keys = [
    ['ArrowRight', 'Next', 'next'],
    ['ArrowLeft', 'Previous', 'previous'],
    ['ArrowDown', 'Row below', 'down'],
    ['ArrowUp', 'Row above', 'up'],
  ];
  return keys.map(([key, label, to]) => ({ key, label, run: (/** @type {KeyboardEvent} */ event) => move(event, to) }));
}
