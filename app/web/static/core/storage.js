// Choices that this browser remembers, in localStorage, and texts that a tab does, in sessionStorage.

/**
 * Load a stored value.
 *
 * @template T
 * @param {string} key
 * @param {T} fallback Returned where nothing is stored, or where it is of another kind: a number, say, and no array.
 * @returns {T}
 */
export function loadStored(key, fallback) {
  try {
    const stored = JSON.parse(localStorage.getItem(key) ?? 'null');
    const alike = typeof stored === typeof fallback && Array.isArray(stored) === Array.isArray(fallback);
    return stored !== null && alike ? stored : fallback;
  } catch {
    return fallback;
  }
}

/**
 * Store a value. Where storage is full or switched off, the choice holds for this page only.
 *
 * @param {string} key
 * @param {unknown} value
 */
export function saveStored(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Storage is full or switched off.
  }
}

/**
 * Return a text that this tab has kept, or ''.
 *
 * @param {string} key
 * @returns {string}
 */
export function keptInTab(key) {
  try {
    return sessionStorage.getItem(key) ?? '';
  } catch {
    return '';
  }
}

/**
 * Keep a text while this tab is open. Where storage is full or switched off, it is lost with the view.
 *
 * @param {string} key
 * @param {string} text
 */
export function keepInTab(key, text) {
  try {
    sessionStorage.setItem(key, text);
  } catch {
    // Storage is full or switched off.
  }
}
