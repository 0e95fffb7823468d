// Toasts: short messages at the lower edge. One shelf a page holds them all.

import { isAbort, messageOf } from './api.js';
import { element, overlayHome } from './dom.js';

/** @type {HTMLElement | null} */
let last = null;

/** Return the shelf, in the document. */
function theShelf() {
  if (!last?.isConnected) {
    last = element('div', { class: 'ps-toasts', role: 'status', 'aria-live': 'polite', popover: 'manual' });
    overlayHome().append(last);
  }
  return last;
}

/**
 * Show a short message. A new one of kind 'info' replaces the others of that kind.
 *
 * @param {string} text
 * @param {object} [options]
 * @param {'info' | 'error'} [options.kind] Errors stay longer.
 * @param {{label: string, run: () => unknown} | null} [options.action] A button beside the text.
 * @param {number} [options.seconds] Time until the message closes by itself.
 */
export function toast(text, { kind = 'info', action = null, seconds = kind === 'error' ? 12 : 4 } = {}) {
  const shelf = theShelf();
  if (kind === 'info') for (const other of shelf.querySelectorAll('.ps-toast.ps-info')) other.remove();
  // A popover is above modal dialogs only if it was opened after them.
  if (shelf.matches(':popover-open')) shelf.hidePopover();
  shelf.showPopover();
  const note = element('div', { class: `ps-toast ps-${kind}` }, element('span', { text }));
  const close = () => {
    note.remove();
    if (!shelf.childElementCount && shelf.matches(':popover-open')) shelf.hidePopover();
  };
  if (action) {
    note.append(
      element('button', {
        class: 'ps-link',
        text: action.label,
        onclick: () => {
          close();
          action.run();
        },
      }),
    );
  }
  note.append(element('button', { class: 'ps-icon', 'aria-label': 'Close message', text: '×', onclick: close }));
  shelf.append(note);
  setTimeout(close, seconds * 1000);
}

/**
 * Run work that may fail, and show its error as a message.
 *
 * @template T
 * @param {() => Promise<T> | T} work
 * @returns {Promise<T | undefined>} The result, or undefined where the work failed. An aborted request is not reported.
 */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    if (!isAbort(error)) toast(messageOf(error), { kind: 'error' });
    return undefined;
  }
}
