// Shuttle: the speeds of the keys J and L, which double with each press.

const FASTEST = 8;

/**
 * Return the speed after another press of the same key.
 *
 * @param {number} speed Times the nominal one; 0 while it does not play in this direction.
 * @returns {number}
 */
export function fasterThan(speed) {
  return speed > 0 ? Math.min(FASTEST, speed * 2) : 1;
}
