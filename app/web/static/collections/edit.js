// Edit of one field of one subclip: its record, and its comparison with what the server has.

/** @typedef {import('../core/types.js').Subclip} Subclip */
/** @typedef {import('../core/types.js').PtsRange} PtsRange */
/** @typedef {{name: string, note: string, range: PtsRange}} Values The type of each field's value. */
/** @typedef {keyof Values} Field */

/**
 * An edit that the server has not saved yet.
 *
 * @template {Field} [F=Field]
 * @typedef {object} Edit
 * @property {number} clip
 * @property {number} collection
 * @property {F} field
 * @property {Values[F]} value
 * @property {Values[F]} base The field's value when the edit began.
 * @property {Values[F][]} unanswered Values that were sent without an answer so far: the server may have any of them.
 * @property {string} label Name of the subclip, for messages.
 * @property {'typed' | 'sending' | 'waiting' | 'conflict' | 'refused' | 'gone'} state 'waiting': the server is away;
 *   'conflict': another tab wrote `theirs`; 'refused': `message` says why; 'gone': the subclip was taken out.
 * @property {string} message
 * @property {Values[F] | null} theirs
 */

/** @type {readonly Field[]} */
export const FIELDS = ['name', 'note', 'range'];

/**
 * Return the value of a field as a subclip has it.
 *
 * @template {Field} F
 * @param {Subclip} clip
 * @param {F} field
 * @returns {Values[F]}
 */
export function fieldValue(clip, field) {
  const { name, note, start_pts, end_pts } = clip;
  return { name: name ?? '', note: note ?? '', range: { start_pts, end_pts } }[field];
}

/**
 * Return whether two values of one field are the same.
 *
 * @param {Values[Field]} one
 * @param {Values[Field]} other
 * @returns {boolean}
 */
export function sameValue(one, other) {
  if (typeof one === 'string' || typeof other === 'string') return one === other;
  return one.start_pts === other.start_pts && one.end_pts === other.end_pts;
}

/**
 * Compare an edit with the subclip as the server has it.
 *
 * @param {Edit} edit
 * @param {Subclip} clip
 * @returns {'saved' | 'send' | 'conflict'} 'saved': the server has this value already. 'send': nobody else has changed the
 *   field since the edit began. 'conflict': somebody has.
 */
export function compare(edit, clip) {
  const current = fieldValue(clip, edit.field);
  const { base, value, unanswered } = edit;
  if (sameValue(current, value)) {
    // What is known may be older than what an unanswered request has written: then only the server can say.
    return unanswered.every((each) => sameValue(each, value)) ? 'saved' : 'send';
  }
  return [base, ...unanswered].some((each) => sameValue(current, each)) ? 'send' : 'conflict';
}

/**
 * Return what an edit contributes to a request.
 *
 * @param {Edit} edit
 * @returns {{name?: string, note?: string} | PtsRange}
 */
export function changeOf({ field, value }) {
  return typeof value === 'string' ? { [field]: value } : value;
}

/**
 * Write an edit as it is stored in the browser: without its state, which only the page that sends it knows.
 *
 * @param {Edit} edit
 * @returns {string}
 */
export function writeEdit({ clip, collection, field, value, base, unanswered, label }) {
  return JSON.stringify({ clip, collection, field, value, base, unanswered, label });
}

/**
 * Read an edit that was stored in the browser.
 *
 * @param {string} text
 * @returns {Edit | null} null where the text is no edit.
 */
export function readEdit(text) {
  let stored;
  try {
    stored = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof stored !== 'object' || stored === null) return null;
  const { clip, collection, field, value, base, unanswered = [], label = '' } = stored;
  const good =
    Number.isInteger(clip) &&
    Number.isInteger(collection) &&
    FIELDS.includes(field) &&
    Array.isArray(unanswered) &&
    [value, base, ...unanswered].every((each) => isValue(field, each));
  if (!good) return null;
  return { clip, collection, field, value, base, unanswered, label, state: 'typed', message: '', theirs: null };
}

/**
 * Return whether something is a value of a field.
 *
 * @param {Field} field
 * @param {unknown} value
 * @returns {boolean}
 */
function isValue(field, value) {
  if (field !== 'range') return typeof value === 'string';
  if (typeof value !== 'object' || value === null) return false;
  const { start_pts, end_pts } = /** @type {Partial<PtsRange>} */ (value);
  return Number.isInteger(start_pts) && Number.isInteger(end_pts);
}
