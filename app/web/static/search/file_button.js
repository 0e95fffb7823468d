// The button that opens the choice of a file to search by; drop.js, which is on the page all the time, takes the file.

import { element, useStyles } from '../core/dom.js';
import { CHOOSE } from './file_drop.js';

export function mount({ parentElement }) {
  useStyles();
  if (!parentElement.querySelector('.ps-choose')) {
    parentElement.append(element('button', {
      class: 'ps-button ps-wide ps-choose', type: 'button', text: 'A picture or clip …',
      title: 'Choose a file, or drop one anywhere on this page', onclick: () => document.dispatchEvent(new Event(CHOOSE)),
    }));
  }
}
