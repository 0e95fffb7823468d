// What is said of a shot wherever it is shown.

/**
 * Return which part of its shot a segment is: `part 2 of 5`; blank for a whole shot.
 *
 * @param {{part: number, part_count: number}} segment
 * @returns {string}
 */
export function partText({ part, part_count }) {
  return part_count > 1 ? `part ${part} of ${part_count}` : '';
}
