// Banner above the list of subclips: draws notices, with what a person can do about them.

import { copyText } from '../core/clipboard.js';
import { element } from '../core/dom.js';
import { editState } from './edit_state.js';
import { notices } from './notices.js';

/** @typedef {import('./edits.js').Edit} Edit */

/** Notices, drawn again only where they differ. */
export class Banner {
  /**
   * @param {import('./edits.js').Edits} edits
   * @param {(edit: Edit) => unknown} putBack Put the subclip of an edit back into its collection.
   */
  constructor(edits, putBack) {
    this.edits = edits;
    this.putBack = putBack;
    this.element = element('div', { class: 'ps-banners' });
    this.token = '[]';
  }

  /**
   * @param {string | null} failed The sentence of the latest request, where it failed.
   * @param {number | null} shown Id of the collection that is shown.
   */
  draw(failed, shown) {
    const found = notices({ failed, stored: this.edits.stored, edits: this.edits.all, shown });
    const token = JSON.stringify(found.map(({ text, token: more }) => [text, more]));
    if (token === this.token) return;
    this.token = token;
    this.element.replaceChildren(
      ...found.map(({ text, edit }) =>
        element(
          'div',
          { class: 'ps-banner ps-banner-trouble', role: 'status' },
          element('span', { class: 'ps-grow', text }),
          ...(edit?.state === 'gone' ? this.goneButtons(edit) : [edit && editState(edit, this.edits)]),
        ),
      ),
    );
  }

  /** @param {Edit} edit One whose subclip another tab took out meanwhile. */
  goneButtons(edit) {
    /** @type {(text: string, run: () => unknown) => HTMLElement} */
    const link = (text, run) => element('button', { class: 'ps-link', type: 'button', text, onclick: run });
    const { value } = edit;
    return [
      link('Restore', () => this.putBack(edit)),
      typeof value === 'string' ? link('Copy text', () => copyText(value)) : null,
      link('Discard', () => this.edits.drop(edit.clip, edit.field)),
    ];
  }
}
