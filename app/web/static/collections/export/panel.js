// Export panel of a collection: clips and lists, mode, names and destination; below it, the collection's exports.

import { api } from '../../core/api.js';
import { element, setText } from '../../core/dom.js';
import { MAX_PATTERN_LENGTH } from '../../core/limits.js';
import { loadStored, saveStored } from '../../core/storage.js';
import { clock } from '../../core/timecode.js';
import { toast } from '../../core/toast.js';
import { totalLength } from '../times.js';
import { ExportJobs } from './jobs.js';
import { DEFAULT_PATTERN, nameOf, TOKENS } from './naming.js';

const CHOICES = 'prismsearch.export';
const FOLDERS = 'prismsearch.export.folders';
const MOST_FOLDERS = 8;
const MAX_HANDLE_SECONDS = 60; // of this form; an export itself takes up to an hour
const MODES = [
  [
    'smart',
    'Smart',
    'Exact to the frame; only the edges are encoded anew, what lies between is copied where the format allows.',
  ],
  [
    'exact',
    'Exact',
    'Exact to the frame; every clip is encoded anew (H.264), which takes longest and plays everywhere.',
  ],
  [
    'copy',
    'Copy',
    'Nothing is encoded: quickest, without loss, but clips begin at the key frame before their in point.',
  ],
  ['none', 'Lists only', 'No clips are cut: only the lists below are written, with the places in your own files.'],
];
const LISTS = [
  ['edl', 'EDL', 'CMX3600, any editing program'],
  ['fcpxml', 'FCPXML', 'Final Cut Pro, DaVinci Resolve'],
  ['fcp7', 'FCP7 XML', 'Premiere Pro, Avid, Resolve'],
  ['otio', 'OTIO', 'OpenTimelineIO'],
  ['csv', 'CSV', 'spreadsheets'],
  ['json', 'JSON', 'programs'],
];
const DEFAULTS = { mode: 'smart', handles: '0', pattern: '', lists: ['csv'], to: 'zip', folder: '' };

/** A form that stays closed until it is toggled. `onRunning` is called with a few words on what runs, or null. */
export class ExportPanel {
  /** @param {{data: {home?: string}, onToggle: (open: boolean) => void}} options `home`: a folder to suggest. */
  constructor({ data, onToggle }) {
    this.onToggle = onToggle;
    /** @type {(text: string | null) => void} */
    this.onRunning = () => {};
    this.choice = { ...DEFAULTS, folder: data.home ?? '', ...loadStored(CHOICES, {}) };
    this.chosen = [];
    this.what = 'all';
    this.jobs = new ExportJobs({ onRunning: (text) => this.onRunning(text), show: () => this.toggle(true) });
    this.build();
    this.draw();
  }

  get open() {
    return !this.form.hidden;
  }

  build() {
    const radio = (group, value, label, more) =>
      element(
        'label',
        { class: 'ps-choice' },
        element('input', {
          type: 'radio',
          name: `ps-export-${group}`,
          value,
          'aria-label': label,
          'aria-description': more,
          onchange: () => this.set(group, value),
        }),
        element(
          'span',
          { class: 'ps-choice-text' },
          element('span', { text: label }),
          more ? element('small', { class: 'ps-muted', text: more }) : null,
        ),
      );
    const group = (title, ...parts) =>
      element('fieldset', { class: 'ps-export-group' }, element('legend', { text: title }), ...parts);
    this.radios = {
      what: [radio('what', 'all', 'The whole collection'), radio('what', 'selection', 'What is selected')],
      mode: MODES.map(([value, label, more]) => radio('mode', value, label, more)),
      to: [
        radio('to', 'zip', 'As one zip', 'to download when it is done'),
        radio('to', 'folder', 'Into a folder', 'of this machine'),
      ],
    };
    this.handles = element('input', {
      class: 'ps-text',
      type: 'number',
      min: '0',
      max: String(MAX_HANDLE_SECONDS),
      step: '0.5',
      inputmode: 'decimal',
      'aria-label': 'Handles in seconds',
      oninput: () => this.set('handles', this.handles.value),
    });
    this.pattern = element('input', {
      class: 'ps-text ps-text-wide',
      type: 'text',
      maxlength: MAX_PATTERN_LENGTH,
      spellcheck: 'false',
      autocomplete: 'off',
      'aria-label': 'Naming pattern',
      placeholder: DEFAULT_PATTERN,
      oninput: () => this.set('pattern', this.pattern.value),
    });
    this.example = element('div', { class: 'ps-muted ps-export-example', 'aria-live': 'polite' });
    const token = ([name, label]) =>
      element('button', {
        class: 'ps-token',
        type: 'button',
        text: `{${name}}`,
        title: label,
        'aria-label': `Insert: ${label}`,
        onclick: () => this.insert(`{${name}}`),
      });
    this.naming = group(
      'Names',
      this.pattern,
      element('div', { class: 'ps-tokens' }, ...TOKENS.map(token)),
      this.example,
    );
    this.handling = group(
      'Handles',
      element(
        'label',
        { class: 'ps-inline' },
        this.handles,
        element('span', { text: 'seconds before in and after out' }),
      ),
    );
    this.lists = LISTS.map(([value, label, more]) =>
      element(
        'label',
        { class: 'ps-choice' },
        element('input', {
          type: 'checkbox',
          value,
          'aria-label': label,
          'aria-description': more,
          onchange: () => this.setLists(),
        }),
        element(
          'span',
          { class: 'ps-choice-text' },
          element('span', { text: label }),
          element('small', { class: 'ps-muted', text: more }),
        ),
      ),
    );
    this.folder = element('input', {
      class: 'ps-text ps-text-wide',
      type: 'text',
      list: 'ps-export-folders',
      spellcheck: 'false',
      autocomplete: 'off',
      placeholder: '/path/of/a/folder',
      'aria-label': 'Folder',
      oninput: () => this.set('folder', this.folder.value),
    });
    this.recent = element('datalist', { id: 'ps-export-folders' });
    this.recentButtons = element('div', { class: 'ps-tokens' });
    this.said = element('div', { class: 'ps-export-said', role: 'alert' });
    this.startButton = element('button', { class: 'ps-button ps-primary', type: 'submit', text: 'Start' });
    this.amount = element('span', { class: 'ps-muted ps-export-amount' });
    this.form = element(
      'form',
      {
        class: 'ps-export',
        hidden: true,
        'aria-label': 'Export',
        novalidate: true,
        onsubmit: (event) => {
          event.preventDefault();
          this.start();
        },
      },
      element(
        'div',
        { class: 'ps-export-columns' },
        element('div', {}, group('What', ...this.radios.what), group('How', ...this.radios.mode)),
        element(
          'div',
          {},
          this.handling,
          this.naming,
          group(
            'Where to',
            ...this.radios.to,
            element('div', { class: 'ps-export-folder' }, this.folder, this.recent, this.recentButtons),
          ),
        ),
        element(
          'div',
          {},
          group(
            'Lists',
            ...this.lists,
            element('small', { class: 'ps-muted', text: 'Beside clips, where none is chosen: CSV and JSON.' }),
          ),
        ),
      ),
      element('div', { class: 'ps-export-go' }, this.startButton, this.amount, this.said),
    );
    this.element = element('section', { class: 'ps-export-place', 'data-export': '' }, this.form, this.jobs.element);
  }

  // Called by the page

  /** @param {import('../../core/types.js').Collection} collection */
  update(collection) {
    const other = this.collection?.id !== collection.id;
    const renamed = this.collection?.name !== collection.name;
    this.collection = collection;
    if (other || renamed) this.jobs.show(collection);
    this.draw();
  }

  /** @param {import('../../core/types.js').Subclip[]} clips The selection. */
  selected(clips) {
    if (this.chosen.length === clips.length && this.chosen.every((clip, at) => clip === clips[at])) return;
    this.chosen = clips;
    if (!clips.length) this.what = 'all';
    this.draw();
  }

  /**
   * Open or close the panel.
   *
   * @param {boolean} [open]
   * @param {'all' | 'selection' | null} [what] What to export; by default the selection where it has several.
   */
  toggle(open = !this.open, what = null) {
    if (what) this.what = what;
    else if (open && !this.open) this.what = this.chosen.length > 1 ? 'selection' : 'all';
    this.form.hidden = !open;
    this.jobs.setOpen(open);
    this.onToggle(open);
    this.draw();
    if (open) {
      this.form.querySelector('input:checked')?.focus({ preventScroll: true });
      this.element.scrollIntoView({ block: 'nearest' });
    }
  }

  /** Close the panel. Returns false where it was not open. */
  escape() {
    if (!this.open) return false;
    this.toggle(false);
    return true;
  }

  remove() {
    this.jobs.remove();
  }

  // Choices

  set(name, value) {
    if (name === 'what') this.what = value;
    else {
      this.choice[name] = value;
      saveStored(CHOICES, this.choice);
    }
    if (name === 'to' && value === 'folder') setTimeout(() => this.folder.focus());
    this.draw();
  }

  setLists() {
    this.choice.lists = this.lists
      .map((label) => label.firstChild)
      .filter((box) => box.checked)
      .map((box) => box.value);
    saveStored(CHOICES, this.choice);
    this.draw();
  }

  insert(token) {
    const { pattern } = this;
    const at = pattern.selectionStart ?? pattern.value.length;
    pattern.setRangeText(token, at, pattern.selectionEnd ?? at, 'end');
    pattern.focus();
    this.set('pattern', pattern.value);
  }

  get clips() {
    return this.what === 'selection' && this.chosen.length ? this.chosen : (this.collection?.subclips ?? []);
  }

  draw() {
    if (!this.form) return;
    const { choice } = this;
    const check = (labels, value) =>
      labels.forEach((label) => {
        label.firstChild.checked = label.firstChild.value === value;
      });
    check(this.radios.what, this.what);
    check(this.radios.mode, choice.mode);
    check(this.radios.to, choice.to);
    setText(
      this.radios.what[0].lastChild.firstChild,
      `The whole collection (${this.collection?.subclips.length ?? 0})`,
    );
    setText(
      this.radios.what[1].lastChild.firstChild,
      this.chosen.length ? `What is selected (${this.chosen.length})` : 'What is selected (nothing now)',
    );
    this.radios.what[1].firstChild.disabled = !this.chosen.length;
    for (const label of this.lists) label.firstChild.checked = choice.lists.includes(label.firstChild.value);
    for (const [input, value] of [
      [this.handles, choice.handles],
      [this.pattern, choice.pattern],
      [this.folder, choice.folder],
    ]) {
      if (document.activeElement !== input && input.value !== value) input.value = value;
    }
    const cuts = choice.mode !== 'none';
    this.handling.disabled = !cuts;
    this.naming.disabled = !cuts;
    const clip = this.clips[0];
    const { name, problem } = nameOf(choice.pattern, clip, {
      number: 1,
      total: this.clips.length,
      collection: this.collection?.name ?? '',
      mode: choice.mode,
      handles: Number(choice.handles) || 0,
    });
    this.example.textContent = !cuts || !clip ? '' : (problem ?? `for example ${name}`);
    this.example.classList.toggle('ps-export-problem', Boolean(problem) && cuts);
    this.folder.parentElement.hidden = choice.to !== 'folder';
    const folders = loadStored(FOLDERS, []).filter((each) => typeof each === 'string');
    this.recent.replaceChildren(...folders.map((value) => element('option', { value })));
    this.recentButtons.replaceChildren(
      ...folders
        .slice(0, 4)
        .filter((path) => path !== choice.folder)
        .map((path) =>
          element('button', {
            class: 'ps-token',
            type: 'button',
            text: path,
            title: path,
            onclick: () => {
              this.folder.value = path;
              this.set('folder', path);
            },
          }),
        ),
    );
    const amount = this.clips.length;
    const sum = amount ? totalLength(this.clips) : null;
    this.amount.textContent = amount
      ? `${amount} ${amount === 1 ? 'subclip' : 'subclips'}, ${sum.code ?? clock(sum.seconds)}${cuts ? '' : '; lists only'}`
      : '';
    this.startButton.disabled = !amount || (!cuts && !choice.lists.length) || Boolean(problem && cuts) || this.starting;
    if (!cuts && !choice.lists.length) this.said.textContent = 'Choose at least one list.';
    else if (this.said.textContent === 'Choose at least one list.') this.said.textContent = '';
  }

  async start() {
    if (this.startButton.disabled) return;
    const { choice } = this;
    const folder = choice.folder.trim();
    if (choice.to === 'folder' && !folder) {
      this.said.textContent = 'Type the folder that the clips go into.';
      this.folder.focus();
      return;
    }
    const handles = Number(choice.handles || 0);
    if (!(handles >= 0 && handles <= MAX_HANDLE_SECONDS)) {
      this.said.textContent = `Handles are from 0 to ${MAX_HANDLE_SECONDS} seconds.`;
      this.handles.focus();
      return;
    }
    const body = {
      collection: this.collection.id,
      mode: choice.mode,
      handles_seconds: handles,
      name_pattern: choice.pattern,
      lists: choice.lists,
      to: choice.to === 'zip' ? 'zip' : folder,
    };
    if (this.what === 'selection' && this.chosen.length) body.subclips = this.chosen.map((clip) => clip.id);
    this.starting = true;
    this.said.textContent = '';
    this.draw();
    try {
      const { run } = await api('/api/exports', { method: 'POST', body });
      if (choice.to === 'folder')
        saveStored(
          FOLDERS,
          [folder, ...loadStored(FOLDERS, []).filter((each) => each !== folder)].slice(0, MOST_FOLDERS),
        );
      this.jobs.started(run, body);
      toast('The export has begun; it goes on when this page is closed');
    } catch (error) {
      this.said.textContent = error.message;
    } finally {
      this.starting = false;
      this.draw();
    }
  }
}
