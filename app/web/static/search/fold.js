// Fold: hides results that are no good match, behind a button that shows them.

import { element } from '../core/dom.js';

/** A part of a view with a button above it. It is hidden at each search that finds nothing good, until that is pressed. */
export class Fold {
  /**
   * @param {string} noun What is hidden, in the singular.
   * @param {...Node} content
   */
  constructor(noun, ...content) {
    this.noun = noun;
    this.content = element('div', {}, ...content);
    this.button = element('button', {
      class: 'ps-button ps-fold',
      type: 'button',
      hidden: true,
      onclick: () => this.open(this.closed),
    });
    this.label = '';
  }

  get closed() {
    return Boolean(this.content.hidden);
  }

  /**
   * Take over the results of another search.
   *
   * @param {boolean} folded Whether they are no good match.
   * @param {number} count
   */
  set(folded, count) {
    this.label = `Show the nearest ${this.noun}${count === 1 ? '' : 's'}`; // without a number: a long shot may be several cards
    this.button.hidden = !folded || !count;
    this.open(this.button.hidden);
  }

  /** @param {boolean} open */
  open(open) {
    this.content.hidden = !open;
    this.button.setAttribute('aria-expanded', String(open));
    this.button.textContent = open ? `Hide the nearest ${this.noun}s` : this.label;
  }

  remove() {
    this.button.remove();
    this.content.remove();
  }
}
