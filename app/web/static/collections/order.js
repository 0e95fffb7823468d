// The order of a collection's subclips, as lists of their ids.

/**
 * Return an order with some subclips moved. They keep their own order, and end up side by side.
 *
 * @param {number[]} order
 * @param {number[]} ids Those to move; ids that are not in the order are ignored.
 * @param {number | null} after The subclip that comes before them; null for the first place.
 * @returns {number[]}
 */
export function moved(order, ids, after) {
  const moving = order.filter((id) => ids.includes(id));
  const rest = order.filter((id) => !ids.includes(id));
  const at = after === null ? 0 : rest.indexOf(after) + 1;
  return [...rest.slice(0, at), ...moving, ...rest.slice(at)];
}

/**
 * Return where subclips go that are moved by one place, as a block.
 *
 * @param {number[]} order
 * @param {number[]} ids In that order.
 * @param {-1 | 1} by Up or down.
 * @returns {{after: number | null} | null} The subclip that then comes before them, or null for the first place; no result
 *   where they are at the edge.
 */
export function onePlace(order, ids, by) {
  const edge = by < 0 ? ids[0] : ids.at(-1);
  if (edge === undefined) return null;
  const beside = order[order.indexOf(edge) + by];
  if (beside === undefined) return null;
  const rest = order.filter((id) => !ids.includes(id));
  return { after: by > 0 ? beside : (rest[rest.indexOf(beside) - 1] ?? null) };
}

/**
 * Return an order with subclips back behind those that they once followed.
 *
 * @param {number[]} order As it is now; subclips may have come and gone.
 * @param {number[]} ids Those to put back; ids that are not in the order are ignored.
 * @param {number[]} before The order that they had their places in.
 * @returns {number[]}
 */
export function restored(order, ids, before) {
  const known = before.filter((id) => order.includes(id));
  return known
    .filter((id) => ids.includes(id))
    .reduce((sofar, id) => moved(sofar, [id], predecessor(known, id)), order);
}

/**
 * Return the subclip that comes before another, or null where it is the first.
 *
 * @param {number[]} order
 * @param {number} id
 * @returns {number | null}
 */
export function predecessor(order, id) {
  return order[order.indexOf(id) - 1] ?? null;
}

/**
 * Return whether two orders are the same.
 *
 * @param {number[]} one
 * @param {number[]} other
 * @returns {boolean}
 */
export function sameOrder(one, other) {
  return one.length === other.length && one.every((id, at) => id === other[at]);
}
