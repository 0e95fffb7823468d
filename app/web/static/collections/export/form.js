// Elements of the export form.

import { element } from '../../core/dom.js';
import { MAX_AUDIO_LENGTH, MAX_HANDLE_SECONDS, MAX_PATTERN_LENGTH } from '../../core/limits.js';
import { DEFAULT_PATTERN, TOKENS } from './naming.js';
import { LISTS, MODES, SOUNDS } from './request.js';

/** @typedef {'all' | 'selection'} What */
/** @typedef {{label: HTMLElement, input: HTMLInputElement, text: HTMLElement}} Option A radio button or a box. */

/**
 * Callbacks of the form.
 *
 * @typedef {object} FormActions
 * @property {(what: What) => void} what
 * @property {(choice: Partial<import('./request.js').Choice>) => void} choose
 * @property {() => void} start
 */

/** @typedef {ReturnType<typeof buildForm>} ExportForm */

/**
 * Create the form. It is hidden.
 *
 * @param {FormActions} actions
 * @param {HTMLElement} words The group about what is said.
 */
export function buildForm(actions, words) {
  const what = {
    all: option('radio', 'what', 'all', 'Whole collection', '', () => actions.what('all')),
    selection: option('radio', 'what', 'selection', 'Selection', '', () => actions.what('selection')),
  };
  const modes = MODES.map(([mode, label, more]) =>
    option('radio', 'mode', mode, label, more, () => actions.choose({ mode })),
  );
  const places = [
    option('radio', 'to', 'zip', 'One zip file', 'to download when it is done', () => actions.choose({ to: 'zip' })),
    option('radio', 'to', 'folder', 'A folder', 'on this machine', () => actions.choose({ to: 'folder' })),
  ];
  places[1]?.label.classList.add('ps-needs-manage');
  const lists = LISTS.map(([name, label, more]) =>
    option('checkbox', 'list', name, label, more, () =>
      actions.choose({ lists: lists.filter(({ input }) => input.checked).map(({ input }) => input.value) }),
    ),
  );
  /** @type {HTMLInputElement} */
  const handles = element('input', {
    class: 'ps-text',
    type: 'number',
    min: '0',
    max: String(MAX_HANDLE_SECONDS),
    step: '0.5',
    inputmode: 'decimal',
    'aria-label': 'Handles in seconds',
    oninput: () => actions.choose({ handles: handles.value }),
  });
  /** @type {HTMLSelectElement} */
  const sound = element(
    'select',
    {
      class: 'ps-select',
      'aria-label': 'Sound',
      onchange: () => actions.choose({ sound: SOUNDS[sound.selectedIndex]?.[0] ?? 'all' }),
    },
    ...SOUNDS.map(([value, label]) => element('option', { value, text: label })),
  );
  const tracks = textField('Sound track numbers', '1,3', () => actions.choose({ tracks: tracks.value }));
  tracks.maxLength = MAX_AUDIO_LENGTH;
  const pattern = textField('Naming pattern', DEFAULT_PATTERN, () => actions.choose({ pattern: pattern.value }));
  pattern.maxLength = MAX_PATTERN_LENGTH;
  const folder = textField('Folder', '/path/of/a/folder', () => actions.choose({ folder: folder.value }));
  folder.setAttribute('list', 'ps-export-folders');
  const insert = (/** @type {string} */ token) => {
    const at = pattern.selectionStart ?? pattern.value.length;
    pattern.setRangeText(token, at, pattern.selectionEnd ?? at, 'end');
    pattern.focus();
    actions.choose({ pattern: pattern.value });
  };
  const tokens = TOKENS.map(([name, label]) =>
    element('button', {
      class: 'ps-token',
      type: 'button',
      text: `{${name}}`,
      title: label,
      'aria-label': `Insert {${name}}: ${label}`,
      onclick: () => insert(`{${name}}`),
    }),
  );
  const example = element('div', { class: 'ps-muted ps-export-example', 'aria-live': 'polite' });
  const naming = group('Names', pattern, element('div', { class: 'ps-tokens' }, ...tokens), example);
  const handling = group(
    'Handles',
    element(
      'label',
      { class: 'ps-inline' },
      handles,
      element('span', { text: 'extra seconds before and after each clip' }),
    ),
  );
  const sounding = group('Sound', sound, tracks);
  const recent = element('datalist', { id: 'ps-export-folders' });
  const recentButtons = element('div', { class: 'ps-tokens' });
  const folderPlace = element('div', { class: 'ps-export-folder' }, folder, recent, recentButtons);
  const said = element('div', { class: 'ps-export-said', role: 'alert' });
  const startButton = element('button', { class: 'ps-button ps-primary', type: 'submit', text: 'Start' });
  const running = element('span', { class: 'ps-muted ps-export-running', role: 'status' });
  const amount = element('span', { class: 'ps-muted ps-export-amount' });
  const labels = (/** @type {Option[]} */ options) => options.map(({ label }) => label);
  const form = element(
    'form',
    {
      class: 'ps-export',
      hidden: true,
      'aria-label': 'Export',
      novalidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        actions.start();
      },
    },
    element(
      'div',
      { class: 'ps-export-columns' },
      element(
        'div',
        {},
        group('What', what.all.label, what.selection.label),
        group('How', ...labels(modes)),
        sounding,
        words,
      ),
      element('div', {}, handling, naming, group('Where to', ...labels(places), folderPlace)),
      element(
        'div',
        {},
        group(
          'Lists',
          ...labels(lists),
          element('small', { class: 'ps-muted', text: 'If you choose none, CSV and JSON are written with the clips.' }),
        ),
      ),
    ),
    element('div', { class: 'ps-export-go' }, startButton, amount, running, said),
  );
  return {
    form,
    what,
    modes,
    places,
    lists,
    handles,
    pattern,
    sound,
    tracks,
    sounding,
    folder,
    example,
    naming,
    handling,
    recent,
    recentButtons,
    folderPlace,
    said,
    startButton,
    amount,
    running,
  };
}

/**
 * @param {'radio' | 'checkbox'} type
 * @param {string} name
 * @param {string} value
 * @param {string} title
 * @param {string} more '' for no explanation.
 * @param {() => void} onchange
 * @returns {Option}
 */
function option(type, name, value, title, more, onchange) {
  const input = element('input', {
    type,
    name: type === 'radio' ? `ps-export-${name}` : null,
    value,
    'aria-label': title,
    'aria-description': more || null,
    onchange,
  });
  const text = element('span', { text: title });
  const explained = more ? element('small', { class: 'ps-muted', text: more }) : null;
  const label = element(
    'label',
    { class: 'ps-choice' },
    input,
    element('span', { class: 'ps-choice-text' }, text, explained),
  );
  return { label, input, text };
}

/**
 * @param {string} label
 * @param {string} placeholder
 * @param {() => void} oninput
 */
function textField(label, placeholder, oninput) {
  return element('input', {
    class: 'ps-text ps-text-wide',
    type: 'text',
    spellcheck: 'false',
    autocomplete: 'off',
    'aria-label': label,
    placeholder,
    oninput,
  });
}

/**
 * @param {string} title
 * @param {...HTMLElement} parts
 */
function group(title, ...parts) {
  return element('fieldset', { class: 'ps-export-group' }, element('legend', { text: title }), ...parts);
}
