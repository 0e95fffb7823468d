// Copying of text, for a person to paste elsewhere.

import { toast } from './toast.js';

/**
 * Copy a text, and say so.
 *
 * @param {string} text
 * @param {string} [said] Message of success.
 */
export async function copyText(text, said = 'Copied') {
  try {
    await navigator.clipboard.writeText(text);
    toast(said);
  } catch {
    toast('The browser blocked copying; select the text and copy it instead', { kind: 'error' });
  }
}
