// Fold: hides results that are no good match, behind a button that shows them.

import { element } from '../core/dom.js';

/** A part of a view with a button above it. It is hidden at each search that finds nothing good, until that is pressed. */
export class Fold {
  /** @param {...Node} content */
  constructor(...content) {
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
    this.label = `Show the ${count === 1 ? 'nearest shot' : `${count} nearest shots`}`;
    this.button.hidden = !folded || !count;
    this.open(this.button.hidden);
  }

  /** @param {boolean} open */
  open(open) {
    this.content.hidden = !open;
    this.button.setAttribute('aria-expanded', String(open));
    this.button.textContent = open ? 'Hide the nearest shots' : this.label;
  }

  remove() {
    this.button.remove();
    this.content.remove();
  }
}
