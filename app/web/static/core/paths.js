// Paths of files and folders, as texts.

/**
 * Divide a path into its last part and what comes before.
 *
 * @param {string} path Of Unix or Windows.
 * @returns {{parent: string, name: string}} `parent` ends with a separator; '' for a root, which is all name.
 */
export function splitPath(path) {
  const trimmed = path.replace(/[\\/]+$/, '');
  const cut = Math.max(trimmed.lastIndexOf('/'), trimmed.lastIndexOf('\\')) + 1;
  return { parent: trimmed.slice(0, cut), name: trimmed.slice(cut) || path };
}
