// Export panel of a collection: clips and lists, mode, names and destination; below it, the collection's exports.

import { api, messageOf } from '../../core/api.js';
import { element, setText } from '../../core/dom.js';
import { loadStored, saveStored } from '../../core/storage.js';
import { clock } from '../../core/timecode.js';
import { toast } from '../../core/toast.js';
import { totalLength } from '../times.js';
import { ClipName } from './clip_name.js';
import { buildForm } from './form.js';
import { counted } from './job.js';
import { ExportJobs } from './jobs.js';
import { choiceFrom, exportRequest, refusalOf, withFolder, withoutWords } from './request.js';
import { ExportWords } from './words.js';

const CHOICES = 'prismsearch.export';
const FOLDERS = 'prismsearch.export.folders';
const RUNNING = 'An export of this collection is running.';

/** @typedef {import('../../core/types.js').Collection} Collection */
/** @typedef {import('../../core/types.js').Subclip} Subclip */
/** @typedef {import('./form.js').What} What */
/** @typedef {import('./request.js').Choice} Choice */

/** A form that stays closed until it is toggled. `onRunning` is called with a few words on what runs, or null. */
export class ExportPanel {
  /**
   * @param {object} options
   * @param {{home?: string, choice?: Partial<Choice>}} options.data A folder to suggest, and what the settings file says.
   * @param {(open: boolean) => void} options.onToggle
   */
  constructor({ data, onToggle }) {
    this.onToggle = onToggle;
    /** @type {(text: string | null) => void} */
    this.onRunning = () => {};
    this.choice = choiceFrom({ ...data.choice, ...loadStored(CHOICES, {}) }, data.home ?? '');
    /** @type {Subclip[]} */
    this.chosen = [];
    /** @type {What} */
    this.what = 'all';
    /** @type {Collection | null} */
    this.collection = null;
    this.starting = false;
    this.clipName = new ClipName(() => this.draw());
    this.words = new ExportWords({ choose: (choice) => this.choose(choice), changed: () => this.draw() });
    this.jobs = new ExportJobs({
      onRunning: (text) => {
        this.onRunning(text);
        this.draw();
      },
      show: () => this.toggle(true),
    });
    this.parts = buildForm(
      {
        what: (what) => {
          this.what = what;
          this.draw();
        },
        choose: (choice) => this.choose(choice),
        start: () => void this.start(), // shows its errors itself
      },
      this.words.element,
    );
    this.element = element(
      'section',
      { class: 'ps-export-place', 'data-export': '' },
      this.parts.form,
      this.jobs.element,
    );
    this.draw();
  }

  get open() {
    return !this.parts.form.hidden;
  }

  // Called by the page

  /** @param {Collection} collection */
  update(collection) {
    const other = this.collection?.id !== collection.id;
    const renamed = this.collection?.name !== collection.name;
    this.collection = collection;
    if (other || renamed) this.jobs.show(collection);
    this.draw();
  }

  /** @param {Subclip[]} clips The selection. */
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
   * @param {What | null} [what] What to export; by default the selection where it has several.
   */
  toggle(open = !this.open, what = null) {
    if (what) this.what = what;
    else if (open && !this.open) this.what = this.chosen.length > 1 ? 'selection' : 'all';
    this.parts.form.hidden = !open;
    this.jobs.setOpen(open);
    this.onToggle(open);
    this.draw();
    if (open) {
      (this.selection ? this.parts.what.selection : this.parts.what.all).input.focus({ preventScroll: true });
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
    this.clipName.stop();
    this.words.stop();
    this.jobs.remove();
  }

  // Choices

  /** @param {Partial<Choice>} choice What has changed. */
  choose(choice) {
    Object.assign(this.choice, choice);
    saveStored(CHOICES, this.choice);
    if (choice.to === 'folder') setTimeout(() => this.parts.folder.focus());
    this.draw();
  }

  /** The subclips to export where these are not the whole collection; else null. */
  get selection() {
    return this.what === 'selection' && this.chosen.length ? this.chosen : null;
  }

  get clips() {
    return this.selection ?? this.collection?.subclips ?? [];
  }

  /** What was chosen, as far as it counts for these clips. */
  get counting() {
    return this.words.none ? withoutWords(this.choice) : this.choice;
  }

  /** Have it found out which words the clips have. */
  askForWords() {
    const { choice, collection, clips } = this;
    if (!this.open || !collection || !clips.length) {
      this.words.ask(null, null);
      return;
    }
    const field = refusalOf({ ...withoutWords(choice), lists: ['csv'], to: 'zip' })?.field;
    const seconds = choice.mode === 'none' || field === 'handles' ? 0 : Number(choice.handles);
    this.words.ask(
      {
        collection: collection.id,
        ...(this.selection && { subclips: clips.map(({ id }) => id) }),
        handles_seconds: seconds,
        language: choice.language,
        words_from: choice.wordsFrom,
      },
      clips.map(({ id, start, end }) => [id, start, end]),
    );
  }

  /** Have the first clip named as the export would name it. */
  askForName() {
    const { counting: choice, collection } = this;
    const [clip] = this.clips;
    const field = refusalOf({ ...choice, lists: ['csv'], to: 'zip' })?.field;
    if (!this.open || !collection || !clip || choice.mode === 'none' || field) {
      this.clipName.ask(null, null);
      return;
    }
    const request = exportRequest(choice, collection.id, null);
    const { mode, handles_seconds, name_pattern, audio, to, subtitles, words_from, language } = request;
    const named = { mode, handles: handles_seconds, pattern: name_pattern, audio, folder: to === 'zip' ? '' : to };
    const track = subtitles === 'track' && { subtitles, words_from, language };
    this.clipName.ask(
      { collection: collection.id, clip: clip.id, total: this.clips.length, ...named, ...track },
      [collection.name, collection.subclips.indexOf(clip), clip, this.jobs.busy], // an export takes names
    );
  }

  draw() {
    const { choice, chosen, parts } = this;
    parts.what.all.input.checked = this.what === 'all';
    parts.what.selection.input.checked = this.what === 'selection';
    for (const { input } of parts.modes) input.checked = input.value === choice.mode;
    for (const { input } of parts.places) input.checked = input.value === choice.to;
    for (const { input } of parts.lists) input.checked = choice.lists.includes(input.value);
    setText(parts.what.all.text, `Whole collection (${this.collection?.subclips.length ?? 0})`);
    setText(parts.what.selection.text, chosen.length ? `Selection (${chosen.length})` : 'Selection (none)');
    parts.what.selection.input.disabled = !chosen.length;
    parts.sound.value = choice.sound;
    for (const name of /** @type {const} */ (['handles', 'pattern', 'folder', 'tracks'])) {
      const input = parts[name];
      if (document.activeElement !== input && input.value !== choice[name]) input.value = choice[name];
    }
    const cuts = choice.mode !== 'none';
    parts.handling.disabled = !cuts;
    parts.naming.disabled = !cuts;
    parts.sounding.disabled = !cuts;
    parts.tracks.hidden = choice.sound !== 'numbers';
    this.askForWords();
    this.askForName();
    const { name, why, problem } = this.clipName;
    setText(parts.example, problem || why || (name && `First clip: ${name}`));
    parts.example.classList.toggle('ps-export-problem', problem !== '');
    parts.folderPlace.hidden = choice.to !== 'folder';
    this.drawFolders();
    const { clips } = this;
    const sum = totalLength(clips);
    parts.amount.textContent = clips.length
      ? `${counted(clips.length, 'subclip')}, ${sum.code ?? clock(sum.seconds)}${cuts ? '' : '; lists only'}`
      : '';
    const refusal = refusalOf(this.counting);
    const listless = refusal?.field === 'lists';
    const wordless = refusal?.field === 'words';
    this.words.draw(choice, wordless ? refusal.problem : '');
    const running = this.starting || this.jobs.busy;
    parts.startButton.disabled = !clips.length || listless || wordless || problem !== '' || running;
    parts.startButton.title = running ? RUNNING : '';
    setText(parts.running, running ? RUNNING : '');
    if (listless) this.say(refusal.problem, 'lists');
    else if (parts.said.dataset.about === 'lists') this.say('');
  }

  drawFolders() {
    const { choice, parts } = this;
    const folders = this.folders;
    parts.recent.replaceChildren(...folders.map((value) => element('option', { value })));
    parts.recentButtons.replaceChildren(
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
              parts.folder.value = path;
              this.choose({ folder: path });
            },
          }),
        ),
    );
  }

  /** Folders of earlier exports. */
  get folders() {
    /** @type {unknown[]} */
    const stored = loadStored(FOLDERS, []);
    return stored.filter((each) => typeof each === 'string');
  }

  /**
   * Say beside the button why nothing starts.
   *
   * @param {string} text
   * @param {string} [about] Which choice.
   */
  say(text, about = '') {
    this.parts.said.textContent = text;
    this.parts.said.dataset.about = about;
  }

  async start() {
    const { counting: choice, collection, parts } = this;
    if (parts.startButton.disabled || !collection) return;
    const refusal = refusalOf(choice);
    if (refusal) {
      this.say(refusal.problem, refusal.field);
      if (refusal.field !== 'lists' && refusal.field !== 'words') parts[refusal.field].focus();
      return;
    }
    const request = exportRequest(choice, collection.id, this.selection);
    this.starting = true;
    this.say('');
    this.draw();
    try {
      /** @type {{run: string}} */
      const { run } = await api('/api/exports', { method: 'POST', body: request });
      if (choice.to === 'folder') saveStored(FOLDERS, withFolder(request.to, this.folders));
      this.jobs.started(run, request);
      toast('Export started; it continues if you close this page');
    } catch (error) {
      this.say(messageOf(error));
    } finally {
      this.starting = false;
      this.draw();
    }
  }
}
