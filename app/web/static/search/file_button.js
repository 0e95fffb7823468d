// Button that chooses a file to search by. file_drop.js, which is always on the page, takes the file.

import { element, useStyles } from '../core/dom.js';
import { CHOOSE_FILE } from './file_drop.js';

/** @param {import('../core/types.js').Component<null>} component */
export function mount({ parentElement }) {
  void useStyles();
  if (!parentElement.querySelector('.ps-choose')) {
    parentElement.append(
      element('button', {
        class: 'ps-button ps-wide ps-choose',
        type: 'button',
        text: 'Choose a picture or clip …',
        title: 'Or drop one anywhere on this page',
        onclick: () => document.dispatchEvent(new Event(CHOOSE_FILE)),
      }),
    );
  }
}
