// Elements of the table of videos: heads of the columns, and rows.

import { element } from '../core/dom.js';
import { splitPath } from '../core/paths.js';
import { durationText } from '../core/timecode.js';
import { COLUMNS, STATES } from './rows.js';

/**
 * Create a head that only screen readers need.
 *
 * @param {string} text
 */
function spoken(text) {
  return element('span', { class: 'ps-spoken', text });
}

/**
 * Create the heads of the columns.
 *
 * @param {import('./arrangement.js').Layout} layout
 * @param {HTMLElement} allBox The box that chooses all videos.
 * @param {(change: {sort: import('./rows.js').ColumnId, down: boolean}) => void} sort
 * @returns {HTMLElement[]}
 */
export function columnHeads(layout, allBox, sort) {
  return [
    element('span', { role: 'columnheader', 'aria-label': 'Selected' }, allBox),
    element('span', { role: 'columnheader' }, spoken('Poster')),
    ...COLUMNS.map(({ id, title, kind }) => {
      const sorted = layout.sort === id;
      return element(
        'span',
        {
          role: 'columnheader',
          class: `ps-lib-${kind}`,
          'aria-sort': sorted ? (layout.down ? 'descending' : 'ascending') : 'none',
        },
        element(
          'button',
          {
            class: 'ps-lib-sort',
            type: 'button',
            title: `Sort by ${title.toLowerCase()}`,
            onclick: () => sort({ sort: id, down: sorted ? !layout.down : kind === 'number' }),
          },
          element('span', { text: title }),
          element('span', { 'aria-hidden': 'true', text: sorted ? (layout.down ? '↓' : '↑') : '' }),
        ),
      );
    }),
    element('span', { role: 'columnheader' }, spoken('Actions')),
  ];
}

/**
 * Create the head of a folder's videos.
 *
 * @param {number} at Index of the row.
 * @param {import('./arrangement.js').FolderRow} row
 * @param {boolean} open Whether its videos are shown.
 * @returns {HTMLElement}
 */
export function folderRow(at, { folder, inside }, open) {
  const seconds = inside.reduce((sum, video) => sum + video.seconds, 0);
  const { parent, name } = splitPath(folder);
  return element(
    'div',
    { class: 'ps-lib-group', role: 'row', 'aria-rowindex': String(at + 2) },
    element(
      'div',
      { role: 'gridcell', class: 'ps-lib-group-cell' },
      element(
        'button',
        {
          class: 'ps-lib-folder',
          type: 'button',
          'aria-expanded': String(open),
          'data-folder': folder,
          title: folder,
        },
        element('span', { class: 'ps-lib-arrow', text: '▸', 'aria-hidden': 'true' }),
        element(
          'span',
          { class: 'ps-lib-path' },
          element('span', { class: 'ps-muted', text: parent }),
          element('strong', { text: name }),
        ),
      ),
      element('span', {
        class: 'ps-muted',
        text: `${inside.length.toLocaleString()} ${inside.length === 1 ? 'video' : 'videos'} · ${durationText(seconds)}`,
      }),
    ),
  );
}

/**
 * Create the row of a video.
 *
 * @param {number} at Index of the row.
 * @param {import('./rows.js').Video} video
 * @param {object} look
 * @param {boolean} look.chosen
 * @param {boolean} look.tabbed Whether Tab reaches it.
 * @param {boolean} look.grouped Whether the head above it names its folder.
 * @param {() => void} onfocus
 * @returns {HTMLElement}
 */
export function videoRow(at, video, { chosen, tabbed, grouped }, onfocus) {
  /**
   * @param {string} kind
   * @param {...(Node | null)} children
   */
  const cell = (kind, ...children) => element('span', { role: 'gridcell', class: `ps-lib-${kind}` }, ...children);
  /**
   * @param {string} text
   * @param {string} [title]
   */
  const number = (text, title) => cell('number', element('span', { text, title }));
  return element(
    'div',
    {
      onfocus,
      class: `ps-lib-row ps-lib-line${chosen ? ' ps-chosen' : ''}`,
      role: 'row',
      tabindex: tabbed ? '0' : '-1',
      'aria-rowindex': String(at + 2),
      'aria-selected': String(chosen),
      'data-at': String(at),
      'data-video': String(video.id),
      'aria-label': `${video.name}, ${durationText(video.seconds)}, ${video.shots} shots, ${video.size}, ${video.states.map((state) => STATES[state].short).join(', ')}`,
    },
    cell(
      'check',
      element('input', {
        type: 'checkbox',
        tabindex: '-1',
        'aria-label': `Select ${video.name}`,
        checked: chosen,
      }),
    ),
    cell(
      'poster',
      video.poster === null
        ? null
        : element('img', { alt: '', loading: 'lazy', decoding: 'async', src: `/api/poster/${video.poster}` }),
    ),
    cell(
      'text',
      element('a', {
        href: `library?video=${video.id}`,
        class: 'ps-lib-name',
        text: video.name,
        title: video.name,
        tabindex: '-1',
      }),
      element('span', {
        class: 'ps-muted ps-lib-under',
        text: grouped ? video.about : video.folder,
        title: video.folder,
      }),
    ),
    number(durationText(video.seconds)),
    number(video.shots.toLocaleString()),
    number(video.size, `${video.width} × ${video.height}`),
    cell('number ps-lib-date', element('span', { text: video.changed })),
    cell(
      'state',
      ...video.states.map((state) =>
        element('span', {
          class: `ps-state ps-state-${state}`,
          text: STATES[state].short,
          title: STATES[state].long(video),
        }),
      ),
    ),
    cell(
      'actions',
      element('button', {
        class: 'ps-icon ps-needs-delete',
        type: 'button',
        tabindex: '-1',
        'data-action': 'remove',
        'aria-label': `Remove ${video.name} from the library`,
        title: 'Remove from the library',
        text: '×',
      }),
    ),
  );
}
