// Parts around the list of subclips that never change: the heads of its columns, and what an empty collection says.

import { element } from '../core/dom.js';

/** Create the heads of the columns. Each row names its own values to screen readers. */
export function columnHeads() {
  return element(
    'div',
    { class: 'ps-clip ps-clip-heads', 'aria-hidden': 'true' },
    ...['', '', 'Name, file, note', 'In', 'Out', 'Length', ''].map((text) => element('div', { text })),
  );
}

/** Create what is shown in place of the list while a collection is empty. It is hidden. */
export function emptyText() {
  return element(
    'div',
    { class: 'ps-coll-empty', hidden: true },
    element('p', { text: 'Nothing in this collection yet.' }),
    element(
      'p',
      { class: 'ps-muted' },
      'On the Search page, press ',
      element('kbd', { text: 'S' }),
      ' on a shot, or + on its poster. In the player, ',
      element('kbd', { text: 'I' }),
      ' and ',
      element('kbd', { text: 'O' }),
      ' mark a part of it first.',
    ),
    element('a', { class: 'ps-button', href: '/', target: '_self', text: 'Search for shots' }),
  );
}
