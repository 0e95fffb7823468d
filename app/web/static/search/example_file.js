// Files to search by: which are refused before they are sent, and what the server's answer means.

const MOST_BYTES = 1024 ** 3; // as the server

/** @typedef {{token: string, name: string, kind: string}} Example A file that the server took. */

/**
 * Return why a file cannot be searched by, or null where it can, as far as is known before it is sent.
 *
 * @param {{name: string, size: number}} file
 * @param {boolean} isFolder
 * @returns {string | null}
 */
export function refusalOf({ name, size }, isFolder) {
  if (isFolder) return `${name} is a folder. Drop a picture or a clip, or index the folder on the Indexing page.`;
  if (size === 0) return `${name} is empty`;
  if (size <= MOST_BYTES) return null;
  const gigabytes = (Math.ceil((10 * size) / 1024 ** 3) / 10).toFixed(1);
  return `${name} is ${gigabytes} GB; the limit is 1 GB. Trim it to the part you mean, or index its folder and mark a range in the player.`;
}

/**
 * Read the server's answer to a file.
 *
 * @param {number} status HTTP status; 0 where it did not answer.
 * @param {string} text The response.
 * @returns {{example: Example, problem: null} | {example: null, problem: string}} The problem is a sentence for a person.
 */
export function readAnswer(status, text) {
  let answer = null;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = null;
  }
  if (status === 0) return { example: null, problem: 'The file could not be sent; is prismsearch still running?' };
  if (status >= 200 && status < 300 && answer) return { example: answer, problem: null };
  return { example: null, problem: answer?.error ?? `The file was not accepted (${status})` };
}
