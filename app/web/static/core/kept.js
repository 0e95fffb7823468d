// Choices that this browser keeps. Whatever is found there is taken only if it is of the kind that was expected.

export function recall(key, otherwise) {
  try {
    const kept = JSON.parse(localStorage.getItem(key));
    return kept !== null && typeof kept === 'object' && Array.isArray(kept) === Array.isArray(otherwise) ? kept : otherwise;
  } catch {
    return otherwise;
  }
}

export function remember(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // The store is full or switched off: the choice holds for this page.
  }
}
