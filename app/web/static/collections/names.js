// Names that people give to subclips, collections and searches.

/**
 * Return what a subclip is called: its name, else that of its file.
 *
 * @param {import('../core/types.js').Subclip} clip
 * @returns {string}
 */
export function clipName(clip) {
  return clip.name || clip.title || clip.fileName;
}

/**
 * Return the name to save for what was typed.
 *
 * @param {string} typed
 * @param {string} before
 * @returns {string | null} null where nothing is to be saved: only blanks were typed, or the name from before.
 */
export function nameToSave(typed, before) {
  const name = typed.trim();
  return name && name !== before ? name : null;
}

/**
 * Return whether something else has a name. Upper and lower case count as the same, as in the library.
 *
 * @param {string} name
 * @param {number} id What the name is for.
 * @param {{id: number, name: string}[]} all
 * @returns {boolean}
 */
export function isTaken(name, id, all) {
  const key = comparisonKey(name);
  return all.some((each) => each.id !== id && comparisonKey(each.name) === key);
}

/** @param {string} name */
function comparisonKey(name) {
  return name.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC'); // upper case first: ß becomes ss
}
