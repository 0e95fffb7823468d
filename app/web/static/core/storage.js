// Choices that this browser remembers, in localStorage.

/**
 * Load a stored value.
 *
 * @template {object} T
 * @param {string} key
 * @param {T} fallback Returned where nothing is stored, or where it is not an array (or object) as `fallback` is.
 * @returns {T}
 */
export function loadStored(key, fallback) {
  try {
    const stored = JSON.parse(localStorage.getItem(key));
    return stored !== null && typeof stored === 'object' && Array.isArray(stored) === Array.isArray(fallback)
      ? stored
      : fallback;
  } catch {
    return fallback;
  }
}

/**
 * Store a value. Where storage is full or switched off, the choice holds for this page only.
 *
 * @param {string} key
 * @param {object} value
 */
export function saveStored(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Storage is full or switched off.
  }
}
