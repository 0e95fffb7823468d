// Layout of the grid of shots: how many columns a width has, and where a key leads.

const WIDTH = 190; // pixels of a column, at least, where there are two or more
const GAP = 13;
const BELOW = 34; // pixels below the picture

/**
 * Lay out a grid.
 *
 * @param {number} width Pixels.
 * @param {number} count Number of cards.
 * @returns {{columns: number, size: number, height: number, rows: number}} Size is the width of a card, height that of a row
 *   with the gap below it.
 */
export function gridLayout(width, count) {
  const columns = Math.max(1, Math.floor((width + GAP) / (WIDTH + GAP)));
  const size = (width - GAP * (columns - 1)) / columns;
  return { columns, size, height: (size * 9) / 16 + BELOW + GAP, rows: Math.ceil(count / columns) };
}

/**
 * Return the card that a key leads to.
 *
 * @param {number} at The card with the focus.
 * @param {number | 'down' | 'up'} by
 * @param {{columns: number, count: number}} grid
 * @returns {number} The same card where there is none in that direction.
 */
export function cardFrom(at, by, { columns, count }) {
  const to = at + (by === 'down' ? columns : by === 'up' ? -columns : by);
  return to >= 0 && to < count ? to : at;
}
